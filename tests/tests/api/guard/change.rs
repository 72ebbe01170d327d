//! Guards that come and go while tokens are verified.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tollgate::guard::{Context, Issuer};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

use crate::guard::issuer::{
    AUDIENCE, ISSUER, Key, Partner, builder, claims, claims_with, expected, fixed, verify,
};

fn other() -> Issuer {
    Issuer::new("https://other.example")
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDSA])
}

/// A remembered token dies with its guard, and does not live again with the next of that name.
#[tokio::test]
async fn what_a_removed_guard_verified_counts_no_longer() {
    let (key, next) = (Key::new("k1"), Key::new("k1"));
    let guards = builder()
        .0
        .guard("partner", fixed(expected(), &[&key]))
        .build()
        .unwrap();
    let verifier = guards.verifier();
    let token = key.token(&claims());
    assert!(verify(&guards, &token).await.is_ok());
    assert!(verify(&guards, &token).await.is_ok());
    assert!(guards.remove("partner"));
    assert!(!guards.remove("partner"));
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(verifier.verify(&token).await.is_err());
    assert_eq!(guards.names().count(), 0);
    assert!(guards.health().is_empty());

    // Of the same name and issuer, with another key.
    guards.add("partner", fixed(expected(), &[&next])).unwrap();
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(verify(&guards, &next.token(&claims())).await.is_ok());
    assert!(verifier.verify(&next.token(&claims())).await.is_ok());
    assert_eq!(guards.names().collect::<Vec<_>>(), ["partner"]);
}

#[tokio::test]
async fn a_guard_is_added_under_the_rules_of_the_builder() {
    let key = Key::new("k1");
    let guards = builder()
        .0
        .guard(
            "partner",
            fixed(expected().alias("partner.example"), &[&key]),
        )
        .not("https://gate.example")
        .build()
        .unwrap();
    let named = |name: &str| {
        fixed::<Partner>(
            Issuer::new(name)
                .audience(AUDIENCE)
                .algorithms([Algorithm::EdDSA]),
            &[&key],
        )
    };
    for (name, guard, word) in [
        (
            "partner",
            named("https://a.example"),
            "two guards are called",
        ),
        ("a", named(ISSUER), "both are for the issuer"),
        ("a", named("partner.example"), "both are for the issuer"),
        (
            "a",
            named("https://gate.example"),
            "the gate itself verifies",
        ),
        ("a", named(""), "no name"),
        (
            "a",
            fixed(expected().alias("x").algorithms([]), &[]),
            "no algorithm",
        ),
        ("a", named("https://{tenantid}/"), "accepts no tenant"),
    ] {
        let error = guards.add(name, guard).unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
        assert_eq!(guards.names().collect::<Vec<_>>(), ["partner"]);
    }
    guards.add("other", fixed(other(), &[&key])).unwrap();
    assert_eq!(
        guards.issuers().collect::<Vec<_>>(),
        [ISSUER, "https://other.example"]
    );
    let token = key.token(&claims_with(&json!({"iss": "https://other.example"})));
    let verified = verify(&guards, &token).await.unwrap();
    assert_eq!(verified.token().guard(), Some("other"));
    assert!(
        guards
            .verify_by("other", &token, &Context::none())
            .await
            .is_ok()
    );
    // The first guard's tokens are its own as before.
    guards.remove("partner");
    assert_eq!(
        verify(&guards, &token).await.unwrap().token().guard(),
        Some("other")
    );
    assert!(verify(&guards, &key.token(&claims())).await.is_err());
}

/// While one guard comes and goes, no token of another is refused, and none of it counts once
/// `remove` has returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_disturb_no_other_guard() {
    let key = Key::new("k1");
    let guards = builder()
        .0
        .guard("partner", fixed(expected(), &[&key]))
        .build()
        .unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let (verifying, over, stays) = (guards.clone(), Arc::clone(&is_over), key.token(&claims()));
    let task = tokio::spawn(async move {
        let mut verified = 0_u32;
        while !over.load(Ordering::SeqCst) {
            assert!(verify(&verifying, &stays).await.is_ok());
            verified += 1;
            tokio::task::yield_now().await;
        }
        verified
    });
    let goes = key.token(&claims_with(&json!({"iss": "https://other.example"})));
    for _ in 0..200 {
        guards.add("other", fixed(other(), &[&key])).unwrap();
        assert!(verify(&guards, &goes).await.is_ok());
        assert!(guards.remove("other"));
        assert!(verify(&guards, &goes).await.is_err());
    }
    is_over.store(true, Ordering::SeqCst);
    assert!(task.await.unwrap() > 0);
}
