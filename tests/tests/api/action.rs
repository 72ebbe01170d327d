//! Action tokens: once, for one thing, for a while, and never for anything else.

use http::{Method, StatusCode};
use serde_json::json;
use tollgate::action::{ActionPurpose, ActionToken, EmailVerification, PasswordReset};
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate_tests::{App, request};

const ADA: &str = "ada@example.com";

async fn reset(app: &App) -> ActionToken<PasswordReset> {
    app.gate
        .action_token(&app.accounts.id_of(ADA), ADA)
        .await
        .unwrap()
}

fn again<P: ActionPurpose>(token: &ActionToken<P>) -> ActionToken<P> {
    ActionToken::new(token.expose())
}

/// R128.
#[tokio::test]
async fn r128_a_token_is_consumed_once_and_says_whose_it_was_and_where_it_was_sent() {
    let app = App::new().await;
    let token = reset(&app).await;
    let proof = again(&token).consume(&app.gate).await.unwrap();
    assert_eq!(
        (*proof.subject(), proof.address()),
        (app.accounts.id_of(ADA), ADA)
    );
    assert_eq!(proof.issued_at(), app.clock.now());
    assert_eq!(
        token.consume(&app.gate).await.unwrap_err().code(),
        Code::InvalidToken
    );
}

/// R128: of sixty-four who present it at once, one is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r128_a_race_for_a_token_has_one_winner() {
    let app = App::new().await;
    let token = reset(&app).await;
    let mut attempts = Vec::new();
    for _ in 0..64 {
        let (token, gate) = (again(&token), app.gate.clone());
        attempts.push(tokio::spawn(
            async move { token.consume(&gate).await.is_ok() },
        ));
    }
    let mut winners = 0;
    for attempt in attempts {
        winners += u32::from(attempt.await.unwrap());
    }
    assert_eq!(winners, 1);
}

/// R128: a quarter of an hour for a reset, a day for an address; not a moment longer.
#[tokio::test]
async fn r128_a_token_runs_out() {
    let app = App::new().await;
    assert_eq!(
        (
            PasswordReset::LIFETIME.as_secs(),
            EmailVerification::LIFETIME.as_secs()
        ),
        (900, 86_400)
    );
    let (one, two) = (reset(&app).await, reset(&app).await);
    app.wait(899);
    _ = one.consume(&app.gate).await.unwrap();
    app.wait(1);
    assert_eq!(
        two.consume(&app.gate).await.unwrap_err().code(),
        Code::InvalidToken
    );
}

/// R50, R128: no kind of token passes for another, wherever it is presented.
#[tokio::test]
async fn r50_no_token_passes_for_another() {
    let app = App::new().await;
    let tokens = app.sign_in(ADA).await;
    let reset = reset(&app).await;
    let verification: ActionToken<EmailVerification> = app
        .gate
        .action_token(&app.accounts.id_of(ADA), ADA)
        .await
        .unwrap();
    for text in [reset.expose(), verification.expose()] {
        app.get("/me", text)
            .await
            .assert_problem(401, "invalid_token");
        app.refresh(text).await.assert_problem(401, "invalid_grant");
        app.post("/auth/verify", json!({ "token": text }))
            .await
            .assert_problem(401, "invalid_token");
        let step = json!({ "step_token": text, "code": "123456" });
        app.post("/auth/signin/step", step)
            .await
            .assert_problem(401, "invalid_credentials");
        assert_eq!(
            app.post("/auth/revoke", json!({ "token": text }))
                .await
                .status,
            StatusCode::OK
        );
    }
    for foreign in [
        &tokens.access,
        &tokens.refresh,
        verification.expose(),
        "",
        "tga1_",
        &"x".repeat(100_000),
    ] {
        let presented: ActionToken<PasswordReset> = ActionToken::new(foreign);
        assert_eq!(
            presented.consume(&app.gate).await.unwrap_err().code(),
            Code::InvalidToken
        );
    }
    // None of these attempts burnt anything.
    _ = reset.consume(&app.gate).await.unwrap();
    _ = verification.consume(&app.gate).await.unwrap();
    assert_eq!(app.get("/me", &tokens.access).await.status, StatusCode::OK);
}

/// R128: it dies with what the subject's access tokens die with.
#[tokio::test]
async fn a_token_does_not_outlive_a_change_of_the_password() {
    let app = App::new().await;
    let (token, grace) = (reset(&app).await, app.accounts.id_of("grace@example.com"));
    let other: ActionToken<PasswordReset> = app
        .gate
        .action_token(&grace, "grace@example.com")
        .await
        .unwrap();
    app.gate
        .credentials_changed(&app.accounts.id_of(ADA), EndSessions::All)
        .await
        .unwrap();
    assert_eq!(
        token.consume(&app.gate).await.unwrap_err().code(),
        Code::InvalidToken
    );
    _ = other.consume(&app.gate).await.unwrap();
}

/// R128, R79: the store has a hash, from which nobody makes a letter.
#[tokio::test]
async fn r128_the_store_keeps_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.db");
    let app = App::on(SqliteStore::open(&file).await.unwrap(), Settings::default()).await;
    let token = reset(&app).await;
    let mut dump = std::fs::read(&file).unwrap();
    dump.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
    let holds = |text: &str| {
        dump.windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds(ADA), "the row is there");
    assert!(
        !holds(&token.expose()[..16]) && !holds(&token.expose()[5..21]),
        "neither the token nor a piece of it"
    );
    _ = token.consume(&app.gate).await.unwrap();
}

/// R129.
#[tokio::test]
async fn r129_each_decision_about_a_token_is_told_of_without_the_token() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    let token: ActionToken<PasswordReset> = app.gate.action_token(&ada, ADA).await.unwrap();
    _ = again(&token).consume(&app.gate).await.unwrap();
    again(&token).consume(&app.gate).await.unwrap_err();
    let heard = app.heard();
    let purpose = "password_reset";
    let kinds: Vec<_> = heard.iter().map(|event| event.kind.clone()).collect();
    let (issued, consumed) = (
        EventKind::ActionTokenIssued { purpose },
        EventKind::ActionTokenConsumed { purpose },
    );
    assert_eq!(
        kinds,
        [issued, consumed, EventKind::ActionTokenRefused { purpose }]
    );
    assert_eq!(heard[1].subject, Some(ada.to_string()));
    for event in &heard {
        let line = event.to_string();
        assert!(
            line.contains(purpose) && !line.contains(token.expose()) && !line.contains(ADA),
            "{line}"
        );
    }
    assert_eq!(format!("{token:?}"), "ActionToken([redacted])");
}

#[tokio::test]
async fn a_paused_deployment_makes_and_takes_no_token() {
    let app = App::new().await;
    let token = reset(&app).await;
    app.gate.pause().await.unwrap();
    assert_eq!(
        again(&token).consume(&app.gate).await.unwrap_err().code(),
        Code::Unavailable
    );
    let refused = app
        .gate
        .action_token::<PasswordReset>(&app.accounts.id_of(ADA), ADA)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    app.gate.resume().await.unwrap();
    _ = token.consume(&app.gate).await.unwrap();
}

/// A handler of the application answers a refusal as the gate's own routes do.
#[tokio::test]
async fn a_refused_token_is_a_problem_like_any_other() {
    let app = App::new().await;
    let gate = app.gate.clone();
    let route = axum::routing::post(
        async move |axum::Json(token): axum::Json<ActionToken<PasswordReset>>| {
            token
                .consume(&gate)
                .await
                .map(drop)
                .map_err(|refusal| gate.reject(refusal))
        },
    );
    let app = app.serving(axum::Router::new().route("/reset", route));
    let token = reset(&app).await;
    let send = async || {
        app.send(request(
            Method::POST,
            "/reset",
            None,
            Some(json!(token.expose())),
        ))
        .await
    };
    assert_eq!(send().await.status, StatusCode::OK);
    send().await.assert_problem(401, "invalid_token");
}
