//! Nothing of a gate is global: what a program does with its own libraries still works after a gate
//! has started (R133).

use tollgate::prelude::*;
use tollgate_tests::{Accounts, App};

/// jsonwebtoken keeps one provider for the process, which the first use decides. A gate must not be
/// that use.
#[tokio::test]
async fn a_program_may_still_choose_its_jsonwebtoken_provider() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let tokens = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(
        app.get("/me", &tokens.access).await.status,
        http::StatusCode::OK
    );
    assert_eq!(
        app.get("/.well-known/jwks.json", "").await.status,
        http::StatusCode::OK
    );
    jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER
        .install_default()
        .expect("nobody installed one before");
}

/// R133.
#[tokio::test]
async fn two_gates_of_one_process_never_meet() {
    let (one, other) = (App::new().await, App::new().await);
    let token = one.sign_in("ada@example.com").await.access;
    other
        .get("/me", &token)
        .await
        .assert_problem(401, "invalid_token");
    one.gate.pause().await.unwrap();
    one.get("/me", &token)
        .await
        .assert_problem(503, "unavailable");
    let theirs = other.sign_in("ada@example.com").await;
    assert_eq!(
        other.get("/me", &theirs.access).await.status,
        http::StatusCode::OK
    );
}

/// R46, R47: the same key, another issuer or audience.
#[tokio::test]
async fn a_shared_key_does_not_make_two_issuers_one() {
    let folder = tempfile::tempdir().unwrap();
    let gate = async |issuer: &str, audience: &str| {
        let ring = KeyRing::open(folder.path()).await.unwrap();
        let builder = Accounts::seeded().gate().issuer(issuer).audience(audience);
        builder
            .keys(ring)
            .store(MemoryStore::new())
            .build()
            .await
            .unwrap()
    };
    let ours = gate("https://a.example", "api").await;
    let user = ours.backend().user("ada@example.com");
    let issued = ours.sign_in(user, &Client::unknown()).await.unwrap();
    ours.verify(&issued.access_token).await.unwrap();
    for (issuer, audience) in [
        ("https://b.example", "api"),
        ("https://a.example", "ap"),
        ("https://a.example/", "api"),
    ] {
        let refusal = gate(issuer, audience)
            .await
            .verify(&issued.access_token)
            .await
            .unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidToken, "{issuer} {audience}");
    }
}
