//! Signing in: what gets in, what does not, and what changes under way.

use std::sync::atomic::Ordering;

use http::StatusCode;
use serde_json::json;
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate_tests::{Accounts, App, PASSWORD, Role, START};

#[tokio::test]
async fn a_sign_in_answers_both_tokens_and_no_cache_keeps_them() {
    let app = App::new().await;
    let answer = app
        .post(
            "/auth/signin",
            json!({ "email": " Ada@Example.com", "password": PASSWORD }),
        )
        .await;
    let tokens = answer.tokens();
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["refresh_expires_in"], 30 * 24 * 60 * 60);
    // R102
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    let me = app.get("/me", &tokens.access).await;
    assert_eq!(me.status, StatusCode::OK);
    assert_eq!(
        me.json(),
        json!({
            "sub": app.accounts.id_of("ada@example.com").to_string(),
            "email": "ada@example.com",
            "roles": ["admin"],
            "scope": "read write",
        })
    );
}

#[tokio::test]
async fn r117_unknown_wrong_and_disabled_accounts_get_the_same_bytes() {
    let app = App::new().await;
    let attempt = async |email: &str, password: &str| {
        app.post(
            "/auth/signin",
            json!({ "email": email, "password": password }),
        )
        .await
    };
    let unknown = attempt("nobody@example.com", PASSWORD).await;
    unknown.assert_problem(401, "invalid_credentials");
    assert_eq!(attempt("ada@example.com", "wrong").await, unknown);
    assert_eq!(attempt("mallory@example.com", PASSWORD).await, unknown);
}

#[tokio::test]
async fn r54_nothing_in_the_body_reaches_the_claims() {
    let app = App::new().await;
    let body = json!({
        "email": "grace@example.com", "password": PASSWORD,
        "role": "admin", "roles": ["admin"], "sub": "1", "scope": "write", "is_admin": true,
    });
    let tokens = app.post("/auth/signin", body).await.tokens();
    let me = app.get("/me", &tokens.access).await.json();
    assert_eq!(me["roles"], json!(["editor"]));
    assert_eq!(
        me["sub"],
        app.accounts.id_of("grace@example.com").to_string()
    );
    app.get("/admin", &tokens.access)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_backend_that_is_down_is_a_503_that_says_when_to_try_again() {
    let app = App::new().await;
    app.accounts.is_down.store(true, Ordering::SeqCst);
    let answer = app
        .post(
            "/auth/signin",
            json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
        .await;
    answer.assert_problem(503, "unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(!answer.text.contains("database"));
}

/// R86, R92 and rotation.md section 3: "sign out everywhere" may not be overtaken by a sign-in with
/// the old password.
#[tokio::test]
async fn an_old_password_does_not_outlive_a_sign_out_everywhere() {
    let app = App::new().await;
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_authenticate.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            accounts.in_authenticate.clear();
            accounts.set_password("ada@example.com", "another one");
            gate.revoke(Revoke::subject(accounts.id_of("ada@example.com")))
                .await
                .unwrap();
        }
    });
    let answer = app
        .post(
            "/auth/signin",
            json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
        .await;
    answer.assert_problem(401, "invalid_credentials");
    assert_eq!(app.accounts.authentications.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_role_taken_away_during_a_sign_in_is_not_in_the_token() {
    let app = App::new().await;
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_authenticate.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            accounts.in_authenticate.clear();
            accounts.set_roles("ada@example.com", vec![Role::Editor]);
            gate.revoke(Revoke::access_of(accounts.id_of("ada@example.com")))
                .await
                .unwrap();
        }
    });
    let tokens = app.sign_in("ada@example.com").await;
    assert_eq!(
        app.get("/me", &tokens.access).await.json()["roles"],
        json!(["editor"])
    );
}

#[tokio::test]
async fn a_subject_that_changes_with_every_attempt_is_a_503() {
    let app = App::new().await;
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_authenticate.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            gate.revoke(Revoke::access_of(accounts.id_of("ada@example.com")))
                .await
                .unwrap();
        }
    });
    let answer = app
        .post(
            "/auth/signin",
            json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
        .await;
    answer.assert_problem(503, "unavailable");
}

#[tokio::test]
async fn a_sign_in_by_hand_has_no_login_to_run_again() {
    let app = App::new().await;
    let ada = app.accounts.id_of("ada@example.com");
    let user = app.accounts.user("ada@example.com");
    app.gate.revoke(Revoke::access_of(ada)).await.unwrap();
    let refusal = app
        .gate
        .sign_in(user.clone(), &Client::unknown())
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable);
    app.wait(2);
    let issued = app.gate.sign_in(user, &Client::unknown()).await.unwrap();
    assert_eq!(
        app.get("/me", &issued.access_token).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_second_authentication_renews_auth_time_for_the_same_subject_only() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let again = |email: &str, password: &str| json!({ "email": email, "password": password });
    assert_eq!(
        app.get("/fresh", &tokens.access).await.status,
        StatusCode::OK
    );
    app.wait(301);
    let stale = app.get("/fresh", &tokens.access).await;
    // R114
    stale.assert_problem(401, "insufficient_user_authentication");
    assert_eq!(
        stale.headers["www-authenticate"],
        "Bearer error=\"insufficient_user_authentication\", max_age=\"300\""
    );

    let path = "/auth/reauthenticate";
    let other = app
        .post_as(
            path,
            &tokens.access,
            Some(again("grace@example.com", PASSWORD)),
        )
        .await;
    other.assert_problem(401, "invalid_credentials");
    app.post_as(
        path,
        &tokens.access,
        Some(again("ada@example.com", "wrong")),
    )
    .await
    .assert_problem(401, "invalid_credentials");
    app.get("/fresh", &tokens.access)
        .await
        .assert_problem(401, "insufficient_user_authentication");

    let answer = app
        .post_as(
            path,
            &tokens.access,
            Some(again("ada@example.com", PASSWORD)),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let fresh = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app.get("/fresh", &fresh).await.status, StatusCode::OK);
    // The session remembers it: the next refresh carries the new time.
    let refreshed = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(
        app.get("/fresh", &refreshed.access).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn settings_that_contradict_each_other_do_not_start() {
    let error = Accounts::seeded()
        .gate()
        .issuer("")
        .audience("https://api.example.com")
        .leeway(std::time::Duration::from_secs(3600))
        .keys(KeyRing::generate(Algorithm::EdDSA).unwrap())
        .store(MemoryStore::new())
        .clock(tollgate::clock::Clock::manual(START))
        .build()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("issuer") && text.contains("leeway"), "{text}");
}

/// P6: the answer of a second authentication is no proof that the answer of a refresh arrived.
#[tokio::test]
async fn a_second_authentication_confirms_no_refresh_whose_answer_was_lost() {
    let app = App::new().await;
    let first = app.sign_in("ada@example.com").await;
    app.wait(60);
    let _lost = app.refresh(&first.refresh).await.tokens();
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = app
        .post_as("/auth/reauthenticate", &first.access, Some(login))
        .await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app.get("/me", &access).await.status, StatusCode::OK);
    app.settle().await;
    app.wait(25);
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
}

/// R129: who holds a session must not try the passwords of others unseen.
#[tokio::test]
async fn a_second_authentication_as_somebody_else_is_told_of() {
    let app = App::new().await;
    let ada = app.accounts.user("ada@example.com");
    let bearer = tollgate::testing::bearer(&app.gate, ada).await.unwrap();
    let login = json!({ "email": "grace@example.com", "password": PASSWORD });
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let answer = app
        .post_as("/auth/reauthenticate", token, Some(login))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let refused = EventKind::ReauthenticationRefused(Code::InvalidCredentials);
    assert_eq!(app.heard_kinds().last(), Some(&refused));
}

/// R81: a token that cannot be signed costs nobody a session.
#[tokio::test]
async fn claims_that_are_too_long_for_a_token_change_nothing() {
    let mut settings = Settings::default();
    settings.session.device_limit = Some(1);
    let app = App::with(settings).await;
    let tokens = app.sign_in("ada@example.com").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.wait(360);
    app.accounts
        .set_roles("ada@example.com", vec![Role::Admin; 2000]);
    app.post("/auth/signin", login.clone())
        .await
        .assert_problem(500, "internal_error");
    assert_eq!(
        app.get("/me", &tokens.access).await.status,
        StatusCode::OK,
        "its session was evicted"
    );
    app.post_as("/auth/reauthenticate", &tokens.access, Some(login))
        .await
        .assert_problem(500, "internal_error");
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(500, "internal_error");

    app.wait(15);
    app.accounts.set_roles("ada@example.com", vec![Role::Admin]);
    let fresh = app.refresh(&tokens.refresh).await;
    assert_ne!(
        fresh.tokens().refresh,
        tokens.refresh,
        "the refused refresh had rotated"
    );
    app.get("/fresh", &fresh.tokens().access)
        .await
        .assert_problem(401, "insufficient_user_authentication");
}
