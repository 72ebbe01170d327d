//! Refreshing: the rows of rotation.md section 3 as clients meet them. The session's clock is moved
//! by hand.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::settings::{OnRefresh, RefreshPolicy};
use tollgate_tests::{App, PASSWORD, Role, Tokens};

/// The gap between the windows, in seconds: with `refresh.window` = 10 s.
const INSIDE: u64 = 5;
const BETWEEN: u64 = 15;
const AFTER: u64 = 25;

async fn rotated(app: &App) -> (Tokens, Tokens) {
    let first = app.sign_in("ada@example.com").await;
    let second = app.refresh(&first.refresh).await.tokens();
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.session, second.session);
    (first, second)
}

#[tokio::test]
async fn row_1_an_unknown_or_ended_session_refreshes_nothing() {
    let app = App::new().await;
    let elsewhere = App::new().await.sign_in("ada@example.com").await;
    app.refresh(&elsewhere.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    let tokens = app.sign_in("ada@example.com").await;
    assert_eq!(
        app.post("/auth/signout", json!({ "refresh_token": tokens.refresh }))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R74.
#[tokio::test]
async fn row_1_a_session_ends_when_it_lies_idle() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.wait(30 * 24 * 3600 - 1);
    let tokens = app.refresh(&tokens.refresh).await.tokens();
    app.wait(30 * 24 * 3600);
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R73, P4.
#[tokio::test]
async fn row_1_no_number_of_rotations_moves_the_absolute_end() {
    let app = App::new().await;
    let mut tokens = app.sign_in("ada@example.com").await;
    for _ in 0..89 {
        app.wait(24 * 3600);
        let answer = app.refresh(&tokens.refresh).await;
        assert!(answer.json()["refresh_expires_in"].as_u64().unwrap() <= 30 * 24 * 3600);
        tokens = answer.tokens();
    }
    app.wait(24 * 3600 - 60);
    let last = app.refresh(&tokens.refresh).await;
    // Neither token outlives the session.
    assert_eq!(last.json()["refresh_expires_in"], 60);
    assert_eq!(last.json()["expires_in"], 60);
    app.wait(60);
    app.refresh(&last.tokens().refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

#[tokio::test]
async fn row_5_the_current_token_is_kept_for_two_windows_after_a_rotation() {
    let app = App::new().await;
    let (_, second) = rotated(&app).await;
    app.wait(BETWEEN);
    let kept = app.refresh(&second.refresh).await.tokens();
    assert_eq!(kept.refresh, second.refresh);
    assert_ne!(kept.access, second.access);
    app.wait(AFTER);
    assert_ne!(
        app.refresh(&second.refresh).await.tokens().refresh,
        second.refresh
    );
}

/// R65.
#[tokio::test]
async fn row_7_a_replay_inside_the_window_gets_the_same_successor() {
    let app = App::new().await;
    let (first, second) = rotated(&app).await;
    app.wait(INSIDE);
    let replay = app.refresh(&first.refresh).await.tokens();
    assert_eq!(replay.refresh, second.refresh);
    assert_eq!(app.get("/me", &replay.access).await.status, StatusCode::OK);
}

/// R70.
#[tokio::test]
async fn row_7_replays_do_not_extend_the_window() {
    let app = App::new().await;
    let (first, _) = rotated(&app).await;
    for _ in 0..2 {
        app.wait(INSIDE);
        assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    }
    app.wait(1);
    app.refresh(&first.refresh)
        .await
        .assert_problem(503, "unavailable");
}

/// R71.
#[tokio::test]
async fn row_7_another_device_id_gets_no_grace() {
    let app = App::new().await;
    let sign_in = json!({ "email": "ada@example.com", "password": PASSWORD, "device_id": "a" });
    let first = app.post("/auth/signin", sign_in).await.tokens();
    let with = |token: &str, device: &str| json!({ "refresh_token": token, "device_id": device });
    let second = app
        .post("/auth/refresh-access", with(&first.refresh, "a"))
        .await
        .tokens();
    app.post("/auth/refresh-access", with(&first.refresh, "b"))
        .await
        .assert_problem(401, "invalid_grant");
    app.post("/auth/refresh-access", with(&second.refresh, "a"))
        .await
        .assert_problem(401, "invalid_grant");
}

#[tokio::test]
async fn row_7b_between_handing_out_and_punishing_lies_a_pause() {
    let app = App::new().await;
    let (first, second) = rotated(&app).await;
    app.wait(BETWEEN);
    let wait = app.refresh(&first.refresh).await;
    wait.assert_problem(503, "unavailable");
    assert_eq!(wait.headers["retry-after"], "5");
    assert_eq!(app.refresh(&second.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn row_8_a_successor_that_nobody_used_is_made_again_and_the_orphan_dies() {
    let app = App::new().await;
    let (first, orphan) = rotated(&app).await;
    app.wait(AFTER);
    let again = app.refresh(&first.refresh).await.tokens();
    assert_ne!(again.refresh, orphan.refresh);
    app.get("/me", &orphan.access)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(app.get("/me", &again.access).await.status, StatusCode::OK);
    // Two parties hold the family where the orphan turns up.
    app.refresh(&orphan.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    app.refresh(&again.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// P10.
#[tokio::test]
async fn row_8_ends_with_the_window_for_lost_answers() {
    let app = App::new().await;
    let (first, _) = rotated(&app).await;
    app.wait(12 * 3600);
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    app.wait(12 * 3600);
    // A re-mint does not move `superseded_at`.
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    app.wait(60);
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R67, R68, R72.
#[tokio::test]
async fn row_9_a_replay_after_the_successor_was_used_ends_the_session() {
    let app = App::new().await;
    let (first, second) = rotated(&app).await;
    assert_eq!(app.get("/me", &second.access).await.status, StatusCode::OK);
    app.settle().await;
    app.wait(AFTER);
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    app.get("/me", &second.access)
        .await
        .assert_problem(401, "invalid_token");
    app.refresh(&second.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R69.
#[tokio::test]
async fn row_9_grace_is_for_the_immediate_predecessor_only() {
    let app = App::new().await;
    let (first, second) = rotated(&app).await;
    app.wait(AFTER);
    let third = app.refresh(&second.refresh).await.tokens();
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    app.refresh(&third.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

#[tokio::test]
async fn row_9_is_told_as_an_event_after_the_session_ended() {
    let app = App::builder().change(|gate| gate.refresh_policy(RefreshPolicy::Strict));
    let app = app.build().await;
    let (gate, clock) = (&app.gate, &app.clock);
    let ada = app.accounts.user("ada@example.com");
    let first = gate.sign_in(ada, &Client::unknown()).await.unwrap();
    gate.refresh(first.refresh_token.expose(), &Client::unknown())
        .await
        .unwrap();
    clock.advance(Duration::from_secs(7));
    gate.refresh(first.refresh_token.expose(), &Client::unknown())
        .await
        .unwrap_err();
    let events = app.heard();
    let reuse = EventKind::RefreshReuse {
        age: Duration::from_secs(7),
        generation_gap: 1,
        context_differs: false,
    };
    assert_eq!(
        events.last().map(|event| (&event.kind, event.sid)),
        Some((&reuse, Some(first.session_id)))
    );
}

#[tokio::test]
async fn strict_forgives_nothing_and_window_no_lost_answer() {
    let mut settings = Settings::default();
    settings.refresh.policy = RefreshPolicy::Strict;
    let app = App::with(settings.clone()).await;
    let (first, second) = rotated(&app).await;
    assert_ne!(
        app.refresh(&second.refresh).await.tokens().refresh,
        second.refresh
    );
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");

    settings.refresh.policy = RefreshPolicy::Window;
    let app = App::with(settings).await;
    let (first, _) = rotated(&app).await;
    app.wait(INSIDE);
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    app.wait(AFTER);
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R77, R78.
#[tokio::test]
async fn forgeries_change_nothing() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for at in 5..tokens.refresh.len() {
        for c in characters.chars().step_by(9) {
            let mut forged: Vec<char> = tokens.refresh.chars().collect();
            if forged[at] == c {
                continue;
            }
            forged[at] = c;
            app.refresh(&forged.into_iter().collect::<String>())
                .await
                .assert_problem(401, "invalid_grant");
        }
    }
    assert_eq!(app.refresh(&tokens.refresh).await.status, StatusCode::OK);
}

/// R76.
#[tokio::test]
async fn a_closed_account_ends_its_session_and_a_database_that_is_down_does_not() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.accounts.is_down.store(true, Ordering::SeqCst);
    // R81
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(503, "unavailable");
    app.accounts.is_down.store(false, Ordering::SeqCst);
    app.accounts.set_disabled("ada@example.com", true);
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    app.accounts.set_disabled("ada@example.com", false);
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    // R93
    app.get("/me", &tokens.access)
        .await
        .assert_problem(401, "invalid_token");
}

/// rotation.md section 3: a role that changes between the reading and the swap leaves a dead token,
/// not a stale one.
#[tokio::test]
async fn a_role_taken_away_during_a_refresh_is_in_no_living_token() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_refresh.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            accounts.in_refresh.clear();
            accounts.set_roles("ada@example.com", vec![Role::Editor]);
            gate.revoke(Revoke::access_of(accounts.id_of("ada@example.com")))
                .await
                .unwrap();
        }
    });
    let stale = app.refresh(&tokens.refresh).await.tokens();
    app.get("/admin", &stale.access)
        .await
        .assert_problem(401, "invalid_token");
    app.wait(AFTER);
    let fresh = app.refresh(&stale.refresh).await.tokens();
    app.get("/admin", &fresh.access)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_sign_out_during_a_refresh_wins() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_refresh.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            gate.revoke(Revoke::refresh_of(accounts.id_of("ada@example.com")))
                .await
                .unwrap();
        }
    });
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

#[tokio::test]
async fn access_tokens_of_before_die_at_a_refresh_where_the_settings_say_so() {
    let mut settings = Settings::default();
    settings.access.on_refresh = OnRefresh::Revoke;
    let app = App::with(settings).await;
    let (first, second) = rotated(&app).await;
    app.get("/me", &first.access)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(app.get("/me", &second.access).await.status, StatusCode::OK);

    let app = App::new().await;
    let (first, _) = rotated(&app).await;
    assert_eq!(app.get("/me", &first.access).await.status, StatusCode::OK);
}

/// R65, R66: on both stores.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r65_of_64_parallel_refreshes_one_rotates_and_all_get_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(folder.path().join("tollgate.db"))
        .await
        .unwrap();
    for store in [Store::from(MemoryStore::new()), Store::from(sqlite)] {
        let app = App::on(store, Settings::default()).await;
        let tokens = app.sign_in("ada@example.com").await;
        let refreshes: Vec<_> = (0..64)
            .map(|_| {
                let (app, token) = (app.clone(), tokens.refresh.clone());
                tokio::spawn(async move { app.refresh(&token).await })
            })
            .collect();
        let mut successors = HashSet::new();
        for refresh in refreshes {
            successors.insert(refresh.await.unwrap().tokens().refresh);
        }
        assert_eq!(successors.len(), 1);
        let access = app.refresh(&tokens.refresh).await.tokens().access;
        assert_eq!(
            app.gate.verify(&access).await.unwrap().token().generation(),
            Some(1)
        );
    }
}

#[tokio::test]
async fn more_than_256_replays_of_one_rotation_are_too_many() {
    let app = App::new().await;
    let (first, _) = rotated(&app).await;
    for _ in 0..256 {
        assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    }
    let refused = app.refresh(&first.refresh).await;
    refused.assert_problem(429, "too_many_requests");
    assert!(refused.headers.contains_key("retry-after"));
}

fn fixed() -> Settings {
    let mut settings = Settings::default();
    settings.refresh.policy = RefreshPolicy::Fixed;
    settings
}

/// The policy `fixed`: the token never changes, each refresh moves the idle end, none the absolute.
#[tokio::test]
async fn under_fixed_the_token_stays_and_the_idle_end_moves() {
    let app = App::with(fixed()).await;
    let first = app.sign_in("ada@example.com").await;
    let day = 24 * 3600;
    for number in 1..=4_u64 {
        app.wait(20 * day);
        let answer = app.refresh(&first.refresh).await;
        let left = answer.json()["refresh_expires_in"].as_u64().unwrap();
        assert_eq!(left, (30 * day).min((90 - 20 * number) * day));
        let tokens = answer.tokens();
        assert_eq!(tokens.refresh, first.refresh);
        assert_ne!(tokens.access, first.access);
        assert_eq!(app.get("/me", &tokens.access).await.status, StatusCode::OK);
    }
    app.wait(10 * day);
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// Under `fixed`, what rotated under another policy and comes again is a theft as before.
#[tokio::test]
async fn under_fixed_a_token_that_was_replaced_before_ends_the_session() {
    let (store, ring) = (
        MemoryStore::new(),
        KeyRing::generate(Algorithm::EdDSA).unwrap(),
    );
    let app = App::builder()
        .keys(&ring)
        .store(store.clone())
        .build()
        .await;
    let old = app.sign_in("ada@example.com").await;
    app.wait(60);
    let new = app.refresh(&old.refresh).await.tokens();
    let builder = App::builder().accounts(&app.accounts).clock(&app.clock);
    let fixed = builder.keys(&ring).store(store);
    let fixed = fixed.settings(self::fixed()).build().await;
    let kept = fixed.refresh(&new.refresh).await.tokens();
    assert_eq!(kept.refresh, new.refresh);
    fixed
        .refresh(&old.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    fixed
        .refresh(&new.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

/// `refresh.answer_token`: a refresh of a token that stays need not answer it; a sign-in does.
#[tokio::test]
async fn under_fixed_the_answer_may_leave_the_token_out() {
    let mut settings = fixed();
    settings.refresh.answer_token = false;
    let app = App::with(settings).await;
    let first = app.sign_in("ada@example.com").await;
    app.wait(60);
    let answer = app.refresh(&first.refresh).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert!(body.get("refresh_token").is_none(), "{body}");
    assert!(body["access_token"].is_string() && body["refresh_expires_in"].is_u64());
    let document = serde_json::to_value(app.gate.openapi()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let tokens = schemas.iter().find(|(name, _)| name.ends_with("Tokens"));
    let required = &tokens.unwrap().1["required"];
    let has = |name: &str| required.as_array().unwrap().contains(&json!(name));
    assert!(has("access_token") && !has("refresh_token"), "{required}");
}

/// Settings that contradict `fixed` are refused at the start, with both names.
#[test]
fn settings_at_odds_with_fixed_are_refused() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        settings.issuer = Some("https://accounts.example.com".to_owned());
        settings.audience = Some("https://api.example.com".to_owned());
        change(&mut settings);
        settings.validate().map_err(|error| error.to_string())
    };
    let without_token = refused(|settings| settings.refresh.answer_token = false);
    let why = without_token.unwrap_err();
    assert!(
        why.contains("refresh.answer_token") && why.contains("fixed"),
        "{why}"
    );
    let ends_access = refused(|settings| {
        settings.refresh.policy = RefreshPolicy::Fixed;
        settings.access.on_refresh = OnRefresh::Revoke;
    });
    let why = ends_access.unwrap_err();
    assert!(
        why.contains("access.on_refresh") && why.contains("fixed"),
        "{why}"
    );
    refused(|settings| {
        settings.refresh.policy = RefreshPolicy::Fixed;
        settings.refresh.answer_token = false;
    })
    .unwrap();
}

/// A token that the server made for the request in hand says nothing about its client: the answer
/// may be lost, and the client asks again with the token before. One that the client sends does.
#[tokio::test]
async fn a_token_that_was_only_just_issued_confirms_no_refresh() {
    for (confirms, code) in [(false, 200), (true, 401)] {
        let app = App::new().await;
        let first = app.sign_in("ada@example.com").await;
        app.wait(60);
        let issued = app.gate.refresh(&first.refresh, &Client::unknown()).await;
        let issued = issued.unwrap();
        let minted = app.gate.verify_issued(&issued).await.unwrap();
        assert_eq!(minted.token().sid(), Some(issued.session_id));
        assert_eq!(minted.claims().email(), "ada@example.com");
        if confirms {
            _ = app.gate.verify(&issued.access_token).await.unwrap();
        }
        app.settle().await;
        app.wait(60);
        let again = app.gate.refresh(&first.refresh, &Client::unknown()).await;
        assert_eq!(again.map_or(401, |_| 200), code);
    }
}

/// It is judged like every other token.
#[tokio::test]
async fn a_token_that_was_only_just_issued_may_be_revoked_already() {
    let app = App::new().await;
    let ada = app.accounts.user("ada@example.com");
    let issued = app.gate.sign_in(ada, &Client::unknown()).await.unwrap();
    app.gate.verify_issued(&issued).await.unwrap();
    let ended = app.gate.revoke(Revoke::session(issued.session_id)).await;
    ended.unwrap();
    let refused = app.gate.verify_issued(&issued).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidToken);
}

/// A key of refresh tokens lives as long as the sessions whose tokens it signed once.
#[tokio::test]
async fn under_fixed_two_rotations_of_the_keys_sign_nobody_out() {
    let app = App::with(fixed()).await;
    let first = app.sign_in("ada@example.com").await;
    let day = 24 * 3600;
    for number in 1..=89_u64 {
        app.wait(day);
        if number % 31 == 5 {
            app.gate.keys().rotate().await.unwrap();
        }
        let answer = app.refresh(&first.refresh).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "day {number}: {}",
            answer.text
        );
    }
    app.wait(day);
    app.refresh(&first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}
