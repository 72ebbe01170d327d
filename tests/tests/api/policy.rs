//! Policies at a route: roles, scopes, and how fresh a sign-in is.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use tollgate::prelude::*;
use tollgate::store::{Revocation, RevokeReason, SessionStore, Target};
use tollgate_tests::{Admins, App, FreshAdmins, Role, StrictAdmins, User, Writers};

#[derive(Policy)]
#[policy(role = Role::Editor)]
struct Editors;

#[derive(Policy)]
#[policy(any(policy = StrictAdmins, role = Role::Editor), consistency = eventual)]
struct Staff;

/// Returns an application with routes of policies that are made of others.
async fn composed(store: MemoryStore) -> App {
    let app = App::on(store, Settings::default()).await;
    let routes = Router::new()
        .route("/all", get(async |_: Auth<User, (Admins, Writers)>| "in"))
        .route(
            "/any",
            get(async |_: Auth<User, AnyOf<(Editors, Admins)>>| "in"),
        )
        .route("/none", get(async |_: Auth<User, (Admins, Editors)>| "in"))
        .route(
            "/fresh",
            get(async |_: Auth<User, AnyOf<(FreshAdmins, Editors)>>| "in"),
        )
        .route(
            "/strict",
            get(async |_: Auth<User, AnyOf<(Admins, StrictAdmins)>>| "in"),
        )
        .route("/staff", get(async |_: Auth<User, Staff>| "in"));
    app.serving(app.gate.install(routes).with_state(app.gate.clone()))
}

#[tokio::test]
async fn a_route_takes_policies_made_of_others() {
    let app = composed(MemoryStore::new()).await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    for path in ["/all", "/any", "/fresh", "/strict", "/staff"] {
        let entered = app.get(path, &ada.access).await;
        assert_eq!(entered.status, StatusCode::OK, "{path}");
    }
    for path in ["/any", "/fresh", "/staff"] {
        let entered = app.get(path, &grace.access).await;
        assert_eq!(entered.status, StatusCode::OK, "{path}");
    }
    for path in ["/all", "/none", "/strict"] {
        app.get(path, &grace.access)
            .await
            .assert_problem(403, "forbidden");
    }
    app.get("/none", &ada.access)
        .await
        .assert_problem(403, "forbidden");
    app.wait(301);
    app.get("/fresh", &ada.access)
        .await
        .assert_problem(401, "insufficient_user_authentication");
}

/// A policy made of others asks what the strictest of them does, also where another part would do,
/// and where it says itself to be content with less.
#[tokio::test]
async fn the_strictest_part_says_what_a_verifier_asks() {
    for path in ["/strict", "/staff"] {
        let store = MemoryStore::new();
        let app = composed(store.clone()).await;
        let token = app.sign_in("ada@example.com").await;
        // Another node: it writes to the store, and this node's task has had no time to read.
        let revocation = Revocation {
            target: Target::Session(token.session.parse().unwrap()),
            reason: RevokeReason::Requested,
            until: app.clock.now().plus(Duration::from_secs(600)),
        };
        SessionStore::revoke(&store, revocation, app.clock.now())
            .await
            .unwrap();
        for path in ["/all", "/any"] {
            let entered = app.get(path, &token.access).await;
            assert_eq!(entered.status, StatusCode::OK, "{path}");
        }
        app.get(path, &token.access)
            .await
            .assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_role_opens_what_another_does_not() {
    let app = App::new().await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    for path in ["/admin", "/guarded"] {
        assert_eq!(
            app.get(path, &ada.access).await.status,
            StatusCode::OK,
            "{path}"
        );
        let refused = app.get(path, &grace.access).await;
        refused.assert_problem(403, "forbidden");
        assert!(!refused.headers.contains_key("www-authenticate"));
        app.get(path, "garbage")
            .await
            .assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_missing_scope_is_said_to_be_one() {
    let app = App::new().await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    assert_eq!(app.get("/write", &ada.access).await.status, StatusCode::OK);
    let refused = app.get("/write", &grace.access).await;
    refused.assert_problem(403, "insufficient_scope");
    assert_eq!(
        refused.headers["www-authenticate"],
        "Bearer error=\"insufficient_scope\""
    );
}

#[tokio::test]
async fn who_lacks_the_role_is_not_sent_to_sign_in_again() {
    let app = App::new().await;
    let grace = app.sign_in("grace@example.com").await;
    app.wait(301);
    app.get("/fresh", &grace.access)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_refresh_brings_the_roles_of_today() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.accounts
        .set_roles("ada@example.com", vec![Role::Editor]);
    let refreshed = app.refresh(&tokens.refresh).await.tokens();
    app.get("/admin", &refreshed.access)
        .await
        .assert_problem(403, "forbidden");
}
