//! Policies at a route: roles, scopes, and how fresh a sign-in is.

use http::StatusCode;
use tollgate_tests::{App, Role};

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
