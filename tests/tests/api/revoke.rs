//! Revoking: every target, and what it leaves alone.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::token::RefreshToken;
use tollgate_tests::{App, Tokens, request};

/// Returns which parts of a session still work: its access token, its refresh token.
async fn alive(app: &App, tokens: &Tokens) -> (bool, bool) {
    let access = app.get("/me", &tokens.access).await;
    let about = app
        .post("/auth/verify", json!({ "token": tokens.refresh }))
        .await;
    for answer in [&access, &about] {
        assert!(
            matches!(answer.status, StatusCode::OK | StatusCode::UNAUTHORIZED),
            "{}",
            answer.text
        );
    }
    (
        access.status == StatusCode::OK,
        about.status == StatusCode::OK,
    )
}

#[tokio::test]
async fn every_target_ends_what_it_names_and_nothing_else() {
    let app = App::new().await;
    let ada = app.accounts.id_of("ada@example.com");
    let case = async |revoke: &dyn Fn(&Tokens) -> Revoke, expected: [(bool, bool); 3]| {
        app.wait(2);
        let one = app.sign_in("ada@example.com").await;
        let two = app.sign_in("ada@example.com").await;
        let other = app.sign_in("grace@example.com").await;
        app.gate.revoke(revoke(&one)).await.unwrap();
        let found = [
            alive(&app, &one).await,
            alive(&app, &two).await,
            alive(&app, &other).await,
        ];
        assert_eq!(found, expected, "{:?}", revoke(&one));
        // R90: what is issued after, in the same second, counts.
        app.wait(2);
        let after = app.sign_in("ada@example.com").await;
        assert_eq!(
            alive(&app, &after).await,
            (true, true),
            "{:?}",
            revoke(&one)
        );
        app.gate.revoke(Revoke::subject(ada)).await.unwrap();
    };
    let sid = |tokens: &Tokens| tokens.session.parse::<SessionId>().unwrap();
    let (all, none) = ((true, true), (false, false));
    case(
        &|_| Revoke::access_of(ada),
        [(false, true), (false, true), all],
    )
    .await;
    case(
        &|_| Revoke::refresh_of(ada),
        [(true, false), (true, false), all],
    )
    .await;
    case(&|_| Revoke::subject(ada), [none, none, all]).await;
    case(&|one| Revoke::others(ada, sid(one)), [all, none, all]).await;
    case(&|one| Revoke::session(sid(one)), [none, all, all]).await;
    case(&|_| Revoke::client("first-party"), [none, none, none]).await;
    case(&|_| Revoke::client("another"), [all, all, all]).await;
    case(&|_| Revoke::everything(), [none, none, none]).await;
}

#[tokio::test]
async fn one_token_dies_alone() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let jti = app.gate.verify(&tokens.access).await.unwrap().token().jti();
    app.gate.revoke(Revoke::token(jti)).await.unwrap();
    assert_eq!(alive(&app, &tokens).await, (false, true));
}

#[tokio::test]
async fn a_key_that_signs_is_not_revoked_and_another_one_is() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let kid = app
        .gate
        .verify(&tokens.access)
        .await
        .unwrap()
        .token()
        .kid()
        .to_owned();
    let error = app.gate.revoke(Revoke::key(kid)).await.unwrap_err();
    assert!(error.to_string().contains("rotate"), "{error}");
    app.gate.revoke(Revoke::key("another")).await.unwrap();
    assert_eq!(alive(&app, &tokens).await, (true, true));
}

/// R90: epochs are counters, not clocks.
#[tokio::test]
async fn a_refresh_in_the_same_second_as_a_bump_brings_a_token_that_counts() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.gate
        .revoke(Revoke::access_of(app.accounts.id_of("ada@example.com")))
        .await
        .unwrap();
    app.get("/me", &tokens.access)
        .await
        .assert_problem(401, "invalid_token");
    let fresh = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(app.get("/me", &fresh.access).await.status, StatusCode::OK);
}

/// R95 (RFC 7009).
#[tokio::test]
async fn the_revocation_route_takes_json_and_forms_and_any_hint() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    for unknown in ["garbage", "", "a.b.c", "tgr1_AAAA"] {
        assert_eq!(
            app.post("/auth/revoke", json!({ "token": unknown }))
                .await
                .status,
            StatusCode::OK,
            "{unknown}"
        );
    }
    assert_eq!(alive(&app, &tokens).await, (true, true));

    let form = format!("token={}&token_type_hint=refresh_token", tokens.access);
    let mut by_form = Request::post("/auth/revoke")
        .body(axum::body::Body::from(form))
        .unwrap();
    by_form.headers_mut().insert(
        "content-type",
        "application/x-www-form-urlencoded".parse().unwrap(),
    );
    assert_eq!(app.send(by_form).await.status, StatusCode::OK);
    assert_eq!(alive(&app, &tokens).await, (false, true));

    let hint = json!({ "token": tokens.refresh, "token_type_hint": "access_token" });
    assert_eq!(app.post("/auth/revoke", hint).await.status, StatusCode::OK);
    assert_eq!(alive(&app, &tokens).await, (false, false));
}

#[tokio::test]
async fn an_access_token_takes_its_session_along_only_when_asked_to() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    assert_eq!(
        app.post(
            "/auth/revoke",
            json!({ "token": tokens.access, "affect_tree": true })
        )
        .await
        .status,
        StatusCode::OK
    );
    assert_eq!(alive(&app, &tokens).await, (false, false));
}

#[tokio::test]
async fn a_refresh_token_of_any_genuine_generation_ends_its_session() {
    let app = App::new().await;
    let first = app.sign_in("ada@example.com").await;
    app.wait(60);
    let second = app.refresh(&first.refresh).await.tokens();
    app.wait(60);
    let third = app.refresh(&second.refresh).await.tokens();
    assert_eq!(
        app.post("/auth/revoke", json!({ "token": first.refresh }))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(alive(&app, &third).await, (false, false));
}

/// R97, R86.
#[tokio::test]
async fn a_sign_out_works_twice_and_with_an_expired_token() {
    let app = App::new().await;
    let out = async |token: &str| {
        app.send(request(Method::POST, "/auth/signout", Some(token), None))
            .await
    };
    let tokens = app.sign_in("ada@example.com").await;
    app.wait(3600);
    app.get("/me", &tokens.access)
        .await
        .assert_problem(401, "token_expired");
    assert_eq!(out(&tokens.access).await.status, StatusCode::NO_CONTENT);
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    assert_eq!(out(&tokens.access).await.status, StatusCode::NO_CONTENT);
    out("garbage").await.assert_problem(401, "invalid_token");
    app.post("/auth/signout", json!({ "refresh_token": "garbage" }))
        .await
        .assert_problem(401, "invalid_grant");
    app.send(request(Method::POST, "/auth/signout", None, None))
        .await
        .assert_problem(401, "missing_token");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_caller() {
    let app = App::new().await;
    let (one, two, other) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    assert_eq!(
        app.post_as("/auth/signout-all", &one.access, None)
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        [alive(&app, &one).await, alive(&app, &two).await],
        [(false, false); 2]
    );
    assert_eq!(alive(&app, &other).await, (true, true));
}

#[tokio::test]
async fn asking_about_a_token_tells_what_it_is_and_changes_nothing() {
    let app = App::new().await;
    let first = app.sign_in("ada@example.com").await;
    let second = app.refresh(&first.refresh).await.tokens();
    let about = app
        .post("/auth/verify", json!({ "token": second.access }))
        .await
        .json();
    assert_eq!(
        (about["kind"].as_str(), about["session_id"].as_str()),
        (Some("access"), Some(second.session.as_str()))
    );
    assert_eq!(
        app.post("/auth/verify", json!({ "token": second.refresh }))
            .await
            .json()["kind"],
        "refresh"
    );
    // R20: the same revocations as at a route, and only a current refresh token counts.
    app.post("/auth/verify", json!({ "token": first.refresh }))
        .await
        .assert_problem(401, "invalid_token");
    app.settle().await;
    app.wait(25);
    // The questions confirmed nothing, so the answer may still have been lost.
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_paused_deployment_answers_503_and_loses_nothing() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.gate.pause().await.unwrap();
    app.get("/me", &tokens.access)
        .await
        .assert_problem(503, "unavailable");
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(503, "unavailable");
    let sign_in = json!({ "email": "ada@example.com", "password": tollgate_tests::PASSWORD });
    app.post("/auth/signin", sign_in)
        .await
        .assert_problem(503, "unavailable");
    app.post("/auth/verify", json!({ "token": tokens.refresh }))
        .await
        .assert_problem(503, "unavailable");
    app.gate.resume().await.unwrap();
    assert_eq!(alive(&app, &tokens).await, (true, true));
}

/// R91 and rotation.md section 6: two gates on one store follow each other.
#[tokio::test]
async fn another_gate_on_the_same_store_hears_of_a_revocation() {
    let store = MemoryStore::new();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let gate = async || {
        App::builder()
            .keys(&KeyRing::open(&keys).await.unwrap())
            .store(store.clone())
            .clock(&Clock::system())
            .build()
            .await
            .gate
    };
    let (here, there) = (gate().await, gate().await);
    let accounts = here.backend().clone();
    let ada = accounts.user("ada@example.com");
    let issued = here.sign_in(ada, &Client::unknown()).await.unwrap();
    there.verify(&issued.access_token).await.unwrap();
    here.revoke(Revoke::session(issued.session_id))
        .await
        .unwrap();
    assert_eq!(
        here.verify(&issued.access_token).await.unwrap_err().code(),
        Code::InvalidToken
    );
    let refused = async {
        while there.verify(&issued.access_token).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused)
        .await
        .expect("the revocation arrives");
}

/// R95: what has run out changes nothing any more.
#[tokio::test]
async fn an_expired_access_token_revokes_nothing() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.wait(3600);
    let entries = app.gate.health().await.revocation_entries;
    for affect_tree in [false, true] {
        let body = json!({ "token": tokens.access, "affect_tree": affect_tree });
        assert_eq!(app.post("/auth/revoke", body).await.status, StatusCode::OK);
    }
    assert_eq!(app.gate.health().await.revocation_entries, entries);
    assert_eq!(app.refresh(&tokens.refresh).await.status, StatusCode::OK);
}

/// While nobody gets in, nobody learns which password is right either.
#[tokio::test]
async fn a_paused_deployment_checks_no_password() {
    let app = App::new().await;
    app.gate.pause().await.unwrap();
    for password in [tollgate_tests::PASSWORD, "wrong"] {
        let sign_in = json!({ "email": "ada@example.com", "password": password });
        app.post("/auth/signin", sign_in)
            .await
            .assert_problem(503, "unavailable");
    }
    assert_eq!(
        app.accounts
            .authentications
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

/// The next key would sign tokens that are dead from the start.
#[tokio::test]
async fn a_key_that_is_to_sign_next_is_not_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::open(folder.path().join("keys")).await.unwrap();
    let gate = App::builder().keys(&ring).build().await.gate;
    let next = ring
        .set()
        .verifying()
        .iter()
        .map(|key| key.kid().to_string())
        .find(|kid| **kid != **ring.set().signing().kid());
    let error = gate
        .revoke(Revoke::key(next.clone().unwrap()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("retire"), "{error}");
    ring.retire(&next.clone().unwrap()).await.unwrap();
    gate.revoke(Revoke::key(next.unwrap())).await.unwrap();
}

/// R129.
#[tokio::test]
async fn signing_out_everywhere_is_told_of() {
    let app = App::new().await;
    let ada = app.accounts.user("ada@example.com");
    let issued = app.gate.sign_in(ada, &Client::unknown()).await.unwrap();
    let answer = app
        .post_as("/auth/signout-all", &issued.access_token, None)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let last = app.heard().pop().unwrap();
    let subject = app.accounts.id_of("ada@example.com").to_string();
    assert_eq!(
        (last.kind, last.subject),
        (EventKind::SignedOutEverywhere, Some(subject))
    );
}

/// A policy may ask for more than the gate: here a revocation of another node counts before this
/// node's view has heard of it.
#[tokio::test]
async fn a_strict_policy_sees_what_another_node_revoked_a_moment_ago() {
    let store = MemoryStore::new();
    let app = App::on(store.clone(), Settings::default()).await;
    let token = app.sign_in("ada@example.com").await;
    assert_eq!(
        app.get("/strict", &token.access).await.status,
        StatusCode::OK
    );
    // Another node: it writes to the store, and this node's task has had no time to read.
    let revocation = tollgate::store::Revocation {
        target: tollgate::store::Target::Session(token.session.parse().unwrap()),
        reason: tollgate::store::RevokeReason::Requested,
        until: app.clock.now().plus(Duration::from_secs(600)),
    };
    tollgate::store::SessionStore::revoke(&store, revocation, app.clock.now())
        .await
        .unwrap();
    app.get("/strict", &token.access)
        .await
        .assert_problem(401, "invalid_token");
}

/// R95: a refresh token of another client is neither described nor ended.
#[tokio::test]
async fn r95_another_clients_refresh_token_is_neither_described_nor_ended() {
    let web = App::new().await;
    let store = tollgate::store::MemoryStore::new();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let app = async |client: &str| {
        let mut settings = Settings::default();
        settings.client_id = client.to_owned();
        App::builder()
            .accounts(&web.accounts)
            .clock(&web.clock)
            .keys(&ring)
            .store(store.clone())
            .settings(settings)
            .build()
            .await
    };
    let (web, mobile) = (app("web").await, app("mobile").await);
    let tokens = web.sign_in("ada@example.com").await;
    let token = json!({ "token": tokens.refresh });
    let about = mobile.post("/auth/verify", token.clone()).await;
    about.assert_problem(401, "invalid_token");
    let body = json!({ "refresh_token": tokens.refresh });
    let ended = mobile.post("/auth/signout", body.clone()).await;
    ended.assert_problem(401, "invalid_grant");
    // RFC 7009: a success, and without effect.
    assert_eq!(mobile.post("/auth/revoke", token.clone()).await.status, 200);

    assert_eq!(web.post("/auth/verify", token.clone()).await.status, 200);
    assert_eq!(alive(&web, &tokens).await, (true, true));
    assert_eq!(web.post("/auth/signout", body).await.status, 204);
    assert_eq!(alive(&web, &tokens).await, (false, false));
}

/// Somebody who holds the key of the MAC, and no token, makes texts that are genuine. They describe
/// no session; and once the key is retired, none of them ends one.
#[tokio::test]
async fn a_key_without_a_token_describes_no_session_and_retired_ends_none() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let clock = Clock::manual(tollgate_tests::START);
    let app = App::builder().clock(&clock).keys(&ring).build().await;
    let tokens = app.sign_in("ada@example.com").await;
    let tokens = app.refresh(&tokens.refresh).await.tokens();
    let stolen = ring.set();
    let sid = RefreshToken::parse(&stolen, None, &tokens.refresh)
        .unwrap()
        .sid;
    let forged = |generation| RefreshToken::mint(&stolen, None, sid, generation, &[7; 16]);
    let current = json!({ "token": forged(1).expose() });
    let about = app.post("/auth/verify", current).await;
    about.assert_problem(401, "invalid_token");

    ring.retire(&format!("refresh-{}", stolen.macs()[0].id()))
        .await
        .unwrap();
    let older = json!({ "token": forged(0).expose() });
    assert_eq!(app.post("/auth/revoke", older).await.status, 200);
    assert_eq!(app.get("/me", &tokens.access).await.status, 200);
}
