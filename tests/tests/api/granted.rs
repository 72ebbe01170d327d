//! Policies as values: asked inside a handler, and of the user as the backend knows them today.

use axum::Router;
use axum::routing::get;
use http::Method;
use tollgate::event::EventKind;
use tollgate::extract::Granted;
use tollgate::prelude::*;
use tollgate::routing;
use tollgate_tests::{Accounts, Admins, App, FreshAdmins, Role, User, Writers, request};

/// Takes nobody but an administrator.
fn purge(admin: Granted<'_, User, Admins>) -> String {
    format!("purged by {} {}", admin.email(), admin.token().subject())
}

async fn require(user: Auth<User>) -> Result<String, Rejection> {
    Ok(purge(user.require::<Admins>()?))
}

async fn fresh(user: Auth<User>) -> Result<&'static str, Rejection> {
    let _ = user.require::<(FreshAdmins, Writers)>()?;
    Ok("in")
}

async fn proven(user: Auth<User>) -> Result<String, Rejection> {
    let admin: Auth<User, Admins> = user.proven()?;
    Ok(format!("{:?}", admin.transport()))
}

async fn satisfies(user: Auth<User>) -> String {
    format!(
        "{} {}",
        user.satisfies::<Admins>(),
        user.satisfies::<Writers>()
    )
}

async fn today(Current(user): Current<Accounts, Admins>) -> String {
    user.email
}

async fn maybe_today(user: Option<Current<Accounts, Admins>>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.email.clone())
}

async fn fresh_today(_: Current<Accounts, FreshAdmins>) -> &'static str {
    "in"
}

async fn app() -> App {
    let app = App::new().await;
    let own = Router::new()
        .route("/require", get(require))
        .route("/fresh", get(fresh))
        .route("/proven", get(proven))
        .route("/satisfies", get(satisfies))
        .route("/today", get(today))
        .route("/maybe-today", get(maybe_today))
        .route("/fresh-today", get(fresh_today))
        .with_state(app.gate.clone());
    app.serving(own)
}

async fn access(app: &App, email: &str) -> String {
    let (user, client) = (app.accounts.user(email), Client::unknown());
    app.gate.sign_in(user, &client).await.unwrap().access_token
}

#[tokio::test]
async fn a_policy_is_asked_inside_a_handler() {
    let app = app().await;
    let (ada, grace) = (
        access(&app, "ada@example.com").await,
        access(&app, "grace@example.com").await,
    );
    let answer = app.get("/require", &ada).await;
    assert!(
        answer.text.starts_with("purged by ada@example.com"),
        "{}",
        answer.text
    );
    app.get("/require", &grace)
        .await
        .assert_problem(403, "forbidden");
    assert!(
        app.heard_kinds()
            .contains(&EventKind::AccessRefused(Code::Forbidden))
    );
    assert_eq!(app.get("/proven", &ada).await.text, "Bearer");
    app.get("/proven", &grace)
        .await
        .assert_problem(403, "forbidden");
    assert_eq!(app.get("/satisfies", &ada).await.text, "true true");
    assert_eq!(app.get("/satisfies", &grace).await.text, "false false");
}

#[tokio::test]
async fn a_policy_inside_a_handler_counts_by_the_clock_of_the_gate() {
    let app = app().await;
    let ada = access(&app, "ada@example.com").await;
    assert_eq!(app.get("/fresh", &ada).await.text, "in");
    app.wait(301);
    let stale = app.get("/fresh", &ada).await;
    stale.assert_problem(401, "insufficient_user_authentication");
    let challenge = stale.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("max_age=\"300\""), "{challenge}");
    app.get("/fresh-today", &ada)
        .await
        .assert_problem(401, "insufficient_user_authentication");
}

#[tokio::test]
async fn the_policy_of_a_loaded_user_is_asked_of_today() {
    let app = app().await;
    let (ada, grace) = (
        access(&app, "ada@example.com").await,
        access(&app, "grace@example.com").await,
    );
    assert_eq!(app.get("/today", &ada).await.text, "ada@example.com");
    app.get("/today", &grace)
        .await
        .assert_problem(403, "forbidden");
    app.accounts.set_roles("ada@example.com", vec![]);
    app.accounts
        .set_roles("grace@example.com", vec![Role::Admin]);
    app.get("/today", &ada)
        .await
        .assert_problem(403, "forbidden");
    assert!(
        app.heard_kinds()
            .contains(&EventKind::AccessRefused(Code::Forbidden))
    );
    assert_eq!(app.get("/today", &grace).await.text, "grace@example.com");
    app.get("/maybe-today", &ada)
        .await
        .assert_problem(403, "forbidden");
    let nobody = app
        .send(request(Method::GET, "/maybe-today", None, None))
        .await;
    assert_eq!(nobody.text, "nobody");
    app.get("/maybe-today", "nonsense")
        .await
        .assert_problem(401, "invalid_token");
    app.accounts.remove("grace@example.com");
    app.get("/maybe-today", &grace)
        .await
        .assert_problem(401, "invalid_token");
}

#[test]
fn a_protected_router_says_which_policy_a_loaded_user_satisfies() {
    let router: ProtectedRouter<Gate<Accounts>> = ProtectedRouter::new()
        .route("/today", routing::get(today))
        .route("/maybe", routing::get(maybe_today));
    let said = format!("{:?}", router.routes());
    assert!(said.contains("Required(Role(\"admin\"))"), "{said}");
    assert!(said.contains("Lenient(Role(\"admin\"))"), "{said}");
}
