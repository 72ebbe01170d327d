//! A client that leaves while the backend is asked: the flow ends there, and nothing has changed.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Notify;
use tollgate::event::EventKind;
use tollgate::store::OnLimit;
use tollgate_tests::{App, Hook};

const ADA: &str = "ada@example.com";

/// Sends a request, and drops it while the backend is in the hook.
async fn leave_in<T>(hook: &Hook, request: impl Future<Output = T>) {
    let entered = Arc::new(Notify::new());
    let enter = Arc::clone(&entered);
    hook.set(move || {
        let enter = Arc::clone(&enter);
        async move {
            enter.notify_one();
            std::future::pending::<()>().await;
        }
    });
    tokio::select! {
        biased;
        _ = request => panic!("the backend answered, and waits for ever"),
        () = entered.notified() => {}
    }
    hook.clear();
}

#[tokio::test]
async fn a_client_that_leaves_a_sign_in_opens_no_session_and_evicts_none() {
    let mut settings = tollgate::settings::Settings::default();
    settings.session.device_limit = Some(1);
    settings.session.on_limit = OnLimit::EvictOldest;
    let app = App::with(settings).await;
    let before = app.sign_in(ADA).await;
    _ = app.heard();
    leave_in(
        &app.accounts.in_authenticate,
        app.try_sign_in(ADA, tollgate_tests::PASSWORD),
    )
    .await;
    assert_eq!(app.heard(), []);
    let sessions = app
        .gate
        .sessions()
        .of(app.accounts.id_of(ADA))
        .await
        .unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(app.get("/me", &before.access).await.status, 200);
    // The next one signs in, and takes the place of the first.
    let after = app.sign_in(ADA).await;
    assert_eq!(app.get("/me", &after.access).await.status, 200);
    assert_eq!(app.get("/me", &before.access).await.status, 401);
}

#[tokio::test]
async fn a_client_that_leaves_a_refresh_may_ask_again_with_the_same_token() {
    let app = App::new().await;
    let tokens = app.sign_in(ADA).await;
    app.wait(60);
    _ = app.heard();
    leave_in(&app.accounts.in_refresh, app.refresh(&tokens.refresh)).await;
    assert_eq!(app.heard(), []);
    let refreshed = app.refresh(&tokens.refresh).await;
    assert_eq!(refreshed.status, 200);
    // It was rotated now, and not before.
    assert_ne!(refreshed.tokens().refresh, tokens.refresh);
    assert!(matches!(
        app.heard_kinds()[..],
        [EventKind::Refreshed(tollgate::event::Refreshed::Rotated)]
    ));
}

#[tokio::test]
async fn a_caller_who_leaves_a_reauthentication_keeps_the_session_as_it_was() {
    let app = App::new().await;
    let tokens = app.sign_in(ADA).await;
    app.wait(600 - 60);
    _ = app.heard();
    let body = serde_json::json!({ "email": ADA, "password": tollgate_tests::PASSWORD });
    let again = app.post_as("/auth/reauthenticate", &tokens.access, Some(body));
    leave_in(&app.accounts.in_authenticate, again).await;
    assert_eq!(app.heard(), []);
    // Its authentication is as old as before.
    assert_eq!(app.get("/admin", &tokens.access).await.status, 200);
    assert_eq!(app.get("/fresh", &tokens.access).await.status, 401);
}
