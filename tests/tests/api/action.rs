//! Action tokens: once, for one thing, for a while, and never for anything else.

use http::{Method, StatusCode};
use serde_json::json;
use tollgate::action::{ActionPurpose, ActionToken, EmailVerification, PasswordReset};
use tollgate::event::EventKind;
use tollgate::gate::Access;
use tollgate::prelude::*;
use tollgate_tests::{Act, App, AppBuilder, OtherStore, request};

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

/// R128: a token dies with every change of the credentials, whichever sessions it ends, and when
/// its subject is signed out everywhere. Another subject's goes on.
#[tokio::test]
async fn r128_a_token_does_not_outlive_the_credentials_that_it_was_made_for() {
    for ending in 0..6 {
        let app = App::new().await;
        let tokens = app.sign_in(ADA).await;
        let (ada, grace) = (
            app.accounts.id_of(ADA),
            app.accounts.id_of("grace@example.com"),
        );
        let token = reset(&app).await;
        let other: ActionToken<EmailVerification> = app
            .gate
            .action_token(&grace, "grace@example.com")
            .await
            .unwrap();
        let keep = app.gate.sessions().of(ada).await.unwrap()[0].session_id;
        let everyone = ending > 3;
        match ending {
            0 => drop(app.gate.credentials_changed(&ada, EndSessions::All).await),
            1 => drop(
                app.gate
                    .credentials_changed(&ada, EndSessions::Others { keep })
                    .await,
            ),
            2 => drop(app.post_as("/auth/signout-all", &tokens.access, None).await),
            3 => drop(app.gate.revoke(Revoke::subject(ada)).await),
            4 => drop(app.gate.revoke(Revoke::everything()).await),
            _ => drop(app.gate.revoke(Revoke::client("first-party")).await),
        }
        let refused = token.consume(&app.gate).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidToken, "{ending}");
        assert_eq!(
            other.consume(&app.gate).await.is_ok(),
            !everyone,
            "{ending}"
        );
    }
}

/// A change of roles, and the end of some sessions, leave the letters that are out as they are.
#[tokio::test]
async fn a_token_outlives_a_change_of_roles_and_the_end_of_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("tollgate.db")).await;
    let stores: [tollgate::store::Store; 2] = [MemoryStore::new().into(), file.unwrap().into()];
    for store in stores {
        let app = App::on(store, Settings::default()).await;
        let tokens = app.sign_in(ADA).await;
        let ada = app.accounts.id_of(ADA);
        let token = reset(&app).await;
        let verification: ActionToken<EmailVerification> =
            app.gate.action_token(&ada, ADA).await.unwrap();
        let keep = app.gate.sessions().of(ada).await.unwrap()[0].session_id;
        for access in [Access::RefreshNow, Access::UntilExpiry] {
            app.gate.claims_changed(&ada, access).await.unwrap();
        }
        app.get("/me", &tokens.access)
            .await
            .assert_problem(401, "invalid_token");
        for revoke in [
            Revoke::access_of(ada),
            Revoke::refresh_of(ada),
            Revoke::others(ada, keep),
            Revoke::session(keep),
        ] {
            app.gate.revoke(revoke).await.unwrap();
        }
        _ = token.consume(&app.gate).await.unwrap();
        _ = verification.consume(&app.gate).await.unwrap();
    }
}

/// A gate that keeps claims with the session ends the sessions at a change of roles, and still no
/// action token.
#[tokio::test]
async fn a_token_outlives_a_change_of_roles_that_ends_the_sessions() {
    #[derive(Clone, JwtClaims)]
    struct Member {
        #[claim(sub)]
        id: u64,
    }

    #[auth_backend(email, user = Member, refresh(from = stored))]
    #[derive(Clone)]
    struct Members;

    impl Authenticate for Members {
        async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Member, AuthError> {
            Ok(Member { id: 1 })
        }
    }

    let app = AppBuilder::of(Members, |_| axum::Router::new())
        .build()
        .await;
    let reset = async || {
        let token = app.gate.action_token::<PasswordReset>(&1, ADA).await;
        token.unwrap()
    };
    let (one, two, three) = (reset().await, reset().await, reset().await);
    let issued = app.gate.sign_in(Member { id: 1 }, &Client::unknown()).await;
    drop(issued.unwrap());
    app.gate
        .claims_changed(&1, Access::RefreshNow)
        .await
        .unwrap();
    assert!(app.gate.sessions().of(1_u64).await.unwrap().is_empty());
    _ = one.consume(&app.gate).await.unwrap();
    app.gate.revoke(Revoke::access_of(1)).await.unwrap();
    app.gate
        .claims_changed(&1, Access::UntilExpiry)
        .await
        .unwrap();
    _ = two.consume(&app.gate).await.unwrap();
    app.gate.revoke(Revoke::subject(1)).await.unwrap();
    three.consume(&app.gate).await.unwrap_err();
}

/// A store that fails burns nothing: the same token is consumed when the store is back.
#[tokio::test]
async fn r128_a_store_that_fails_burns_no_token() {
    let store = OtherStore::new();
    let app = App::on(store.clone(), Settings::default()).await;
    let token = reset(&app).await;
    store.on_each(|_| Act::Fail);
    let refused = again(&token).consume(&app.gate).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    // One operation decides and takes: whatever else fails, nothing is half done.
    store.on_each(|name| match name {
        "take_once" => Act::Run,
        _ => Act::Fail,
    });
    _ = again(&token).consume(&app.gate).await.unwrap();
    store.behave();
    token.consume(&app.gate).await.unwrap_err();
}

/// A release before knows no marks: its tokens are checked against the epoch here, what it ends
/// ends the tokens of this one, and it can read them.
#[tokio::test]
async fn tokens_of_the_release_before_and_of_this_one_live_beside_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let app = App::on(SqliteStore::open(&path).await.unwrap(), Settings::default()).await;
    let db = rusqlite::Connection::open(&path).unwrap();
    let ada = app.accounts.id_of(ADA);
    let changed = app.gate.credentials_changed(&ada, EndSessions::All).await;
    changed.unwrap();
    let bump = || {
        let sql = "UPDATE tg_subject SET uep = uep + 1 WHERE uid = ?";
        assert_eq!(db.execute(sql, [ada.to_string()]).unwrap(), 1);
    };
    // That release writes no mark into the payload, and none beside it.
    let make_old = async || {
        let token = reset(&app).await;
        let sql = "UPDATE tg_once SET payload = CAST(json_remove(CAST(payload AS TEXT), '$.mark') AS BLOB), \
                   mark = NULL, mark_uid = NULL, mark_client = NULL \
                   WHERE mark IS NOT NULL AND kind = ':action/password_reset'";
        assert_eq!(db.execute(sql, []).unwrap(), 1);
        token
    };
    let old = make_old().await;
    _ = old.consume(&app.gate).await.unwrap();
    let old = make_old().await;
    let others = Access::RefreshNow;
    app.gate.claims_changed(&ada, others).await.unwrap();
    let refused = old.consume(&app.gate).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidToken, "as in that release");

    let ours = reset(&app).await;
    let payload: String = db
        .query_row(
            "SELECT CAST(payload AS TEXT) FROM tg_once WHERE mark IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    let epoch: i64 = db
        .query_row("SELECT uep FROM tg_subject", [], |row| row.get(0))
        .unwrap();
    assert_eq!(payload["epoch"], epoch, "that release compares it");
    bump();
    let refused = ours.consume(&app.gate).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::InvalidToken,
        "that release changed a password"
    );
    // And the next token, with what that release did behind it, is good again.
    let ours = reset(&app).await;
    app.gate.claims_changed(&ada, others).await.unwrap();
    _ = ours.consume(&app.gate).await.unwrap();
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
