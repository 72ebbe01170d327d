//! Tokens of the gate's own that were verified before: whatever may change beside a token is looked
//! at every time (R132).

use std::time::Duration;

use serde_json::json;
use tollgate::clock::Clock;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate_tests::{App, START};

/// A gate whose signatures cost more than a look-up, and its ring.
async fn app() -> (App, KeyRing, Clock) {
    let clock = Clock::manual(START);
    let ring = KeyRing::generate(Algorithm::EdDSA)
        .unwrap()
        .with_clock(clock.clone());
    let app = App::builder().keys(&ring).clock(&clock).build().await;
    (app, ring, clock)
}

#[tokio::test]
async fn r132_a_seen_token_is_held_against_its_time() {
    let (app, _, clock) = app().await;
    let token = app.sign_in("ada@example.com").await.access;
    for _ in 0..3 {
        assert_eq!(app.get("/me", &token).await.status, 200);
    }
    clock.advance(Duration::from_secs(629));
    assert_eq!(app.get("/me", &token).await.status, 200);
    clock.advance(Duration::from_secs(1));
    app.get("/me", &token)
        .await
        .assert_problem(401, "token_expired");
    // Seen once more as one that ran out, it still signs out.
    assert_eq!(app.post_as("/auth/signout", &token, None).await.status, 204);
}

#[tokio::test]
async fn r132_a_seen_token_is_held_against_the_revocations() {
    let (app, _, _) = app().await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    for token in [&ada.access, &grace.access] {
        assert_eq!(app.get("/me", token).await.status, 200);
    }
    app.gate
        .revoke(Revoke::access_of(app.accounts.id_of("ada@example.com")))
        .await
        .unwrap();
    app.get("/me", &ada.access)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(
        app.post_as("/auth/signout", &grace.access, None)
            .await
            .status,
        204
    );
    app.get("/me", &grace.access)
        .await
        .assert_problem(401, "invalid_token");
    let fresh = app.refresh(&ada.refresh).await.tokens();
    assert_eq!(app.get("/me", &fresh.access).await.status, 200);
    app.gate.pause().await.unwrap();
    app.get("/me", &fresh.access)
        .await
        .assert_problem(503, "unavailable");
}

#[tokio::test]
async fn r132_a_seen_token_is_held_against_the_policy_of_each_route() {
    let (app, _, clock) = app().await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    for _ in 0..2 {
        assert_eq!(app.get("/admin", &ada.access).await.status, 200);
        assert_eq!(app.get("/fresh", &ada.access).await.status, 200);
        app.get("/admin", &grace.access)
            .await
            .assert_problem(403, "forbidden");
        assert_eq!(
            app.get("/me", &grace.access).await.json()["roles"],
            json!(["editor"])
        );
    }
    clock.advance(Duration::from_secs(301));
    app.get("/fresh", &ada.access)
        .await
        .assert_problem(401, "insufficient_user_authentication");
    assert_eq!(app.get("/admin", &ada.access).await.status, 200);
}

/// The ring's generation: what was seen under a key that is retired is refused at once.
#[tokio::test]
async fn r132_a_seen_token_is_held_against_the_keys() {
    let (app, ring, clock) = app().await;
    // The next key is published a while before it signs.
    clock.advance(Duration::from_secs(400 * 86_400));
    let token = app.sign_in("ada@example.com").await.access;
    let kid = ring.set().signing().kid().to_string();
    assert_eq!(app.get("/me", &token).await.status, 200);
    ring.rotate().await.unwrap();
    assert_eq!(app.get("/me", &token).await.status, 200);
    ring.retire(&kid).await.unwrap();
    app.get("/me", &token)
        .await
        .assert_problem(401, "invalid_token");
}

/// Another token is another token, however little differs.
#[tokio::test]
async fn r132_a_seen_token_is_compared_byte_for_byte() {
    let (app, _, _) = app().await;
    let token = app.sign_in("ada@example.com").await.access;
    assert_eq!(app.get("/me", &token).await.status, 200);
    let signature = token.rfind('.').unwrap() + 1;
    for at in (signature..token.len()).chain([0, 10, signature - 2]) {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        app.get("/me", &String::from_utf8(other).unwrap())
            .await
            .assert_problem(401, "invalid_token");
    }
}

/// A key that was revoked counts for no token, also on a node whose ring still verifies with it.
#[tokio::test]
async fn r132_a_token_is_held_against_the_revoked_keys() {
    let (app, ring, clock) = app().await;
    clock.advance(Duration::from_secs(400 * 86_400));
    let token = app.sign_in("ada@example.com").await.access;
    let kid = ring.set().signing().kid().to_string();
    ring.rotate().await.unwrap();
    assert_eq!(app.get("/me", &token).await.status, 200);
    let fresh = app.sign_in("ada@example.com").await.access;
    app.gate.revoke(Revoke::key(kid.as_str())).await.unwrap();
    let known = ring.set();
    assert!(
        known.verifying().iter().any(|key| **key.kid() == *kid),
        "the ring alone refuses it, and the test shows nothing"
    );
    app.get("/me", &token)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(app.get("/me", &fresh).await.status, 200);
}
