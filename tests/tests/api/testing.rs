//! The kit for tests of applications: callers, cookies, one clock, several gates.

use std::time::Duration;

use axum::response::IntoResponse as _;
use http::header::COOKIE;
use http::{Method, StatusCode};
use tollgate::prelude::*;
use tollgate::testing::{START, auth, bearer, cookies, ready};
use tollgate_tests::{Accounts, Admins, Answer, App, FreshAdmins, User, request};

async fn purge(admin: Auth<User, Admins>) -> String {
    format!("purged by {}", admin.email())
}

#[tokio::test]
async fn a_handler_is_called_with_a_caller_who_went_through_the_gate() {
    let app = App::new().await;
    let ada = || app.accounts.user("ada@example.com");
    let caller = auth(&app.gate, ada()).acr("urn:example:key").await.unwrap();
    assert_eq!(caller.token().acr(), Some("urn:example:key"));
    assert_eq!(caller.token().auth_time(), Some(START));
    let sid = caller.token().sid().unwrap();
    assert!(app.gate.sessions().get(sid).await.unwrap().is_some());
    assert_eq!(
        purge(caller.proven().unwrap()).await,
        "purged by ada@example.com"
    );

    let grace = auth(&app.gate, app.accounts.user("grace@example.com"));
    let refused = grace.await.unwrap().proven::<Admins>().unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);

    let old = START.minus(Duration::from_secs(301));
    let stale = auth(&app.gate, ada()).auth_time(old).await.unwrap();
    assert_eq!(stale.token().auth_time(), Some(old));
    let refused = stale.proven::<FreshAdmins>().unwrap_err();
    assert_eq!(refused.code(), Code::InsufficientUserAuthentication);

    app.gate.pause().await.unwrap();
    let paused = auth(&app.gate, ada()).await.unwrap_err();
    assert_eq!(
        Answer::of(paused.into_response()).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_browser_is_signed_in_by_its_cookies() {
    let app = App::with(super::cookies::settings()).await;
    let line = cookies(&app.gate, app.accounts.user("ada@example.com"))
        .await
        .unwrap();
    let mut request = request(Method::GET, "/me", None, None);
    request.headers_mut().insert(COOKIE, line.parse().unwrap());
    assert_eq!(app.send(request).await.status, StatusCode::OK);
    let off = App::new().await;
    let refused = cookies(&off.gate, off.accounts.user("ada@example.com"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InternalError);
}

/// A ring that went by the clock of the machine would wait for a year.
#[tokio::test]
async fn gate_and_keys_go_by_one_clock() {
    let (builder, clock) = ready(Accounts::seeded().gate()).unwrap();
    let gate = builder.build().await.unwrap();
    clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    gate.keys().rotate().await.unwrap();
    let user = gate.backend().user("ada@example.com");
    let token = bearer(&gate, user).await.unwrap();
    gate.verify(token.strip_prefix("Bearer ").unwrap())
        .await
        .unwrap();
    clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    gate.keys().rotate().await.unwrap();
}
