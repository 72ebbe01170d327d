//! Tokens that were verified before: what is looked at again every time (R132).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tollgate::clock::Timestamp;
use tollgate::guard::{Context, GuardRouter, Issuer, JwtGuard, StaticGuard, Wanted};
use tollgate::keys::PublicKeySet;
use tollgate::prelude::*;

use crate::guard::issuer::{Key, Partner, builder, claims, claims_with, expected, fixed, verify};

/// A guard that counts how often its keys were asked for: once for every token that is verified,
/// never for one that is remembered.
#[derive(Clone)]
struct Counting {
    guard: StaticGuard<Partner>,
    asked: Arc<AtomicUsize>,
}

impl Counting {
    fn new(key: &Key) -> Self {
        Self {
            guard: fixed(expected(), &[key]),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

impl JwtGuard for Counting {
    type User = Partner;

    fn issuer(&self) -> &Issuer {
        self.guard.issuer()
    }

    async fn public_keys(&self, wanted: Wanted<'_>) -> Result<Arc<PublicKeySet>, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.guard.public_keys(wanted).await
    }

    fn generation(&self, now: Timestamp) -> Option<u64> {
        self.guard.generation(now)
    }
}

fn guards(key: &Key) -> (GuardRouter<Partner>, Counting, tollgate::clock::Clock) {
    let (builder, clock) = builder();
    let counting = Counting::new(key);
    (
        builder.guard("partner", counting.clone()).build().unwrap(),
        counting,
        clock,
    )
}

#[tokio::test]
async fn a_token_that_comes_again_is_not_verified_again() {
    let key = Key::new("k");
    let (guards, counting, _) = guards(&key);
    let token = key.token(&claims());
    for _ in 0..10 {
        assert_eq!(verify(&guards, &token).await.unwrap().claims().id(), "p-7");
    }
    assert_eq!(counting.asked(), 1);
    // Byte for byte: whatever differs in one place is another token.
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(verify(&guards, &other).await.is_err(), "{at}");
    }
    assert!(verify(&guards, &format!("{token}A")).await.is_err());
    assert!(verify(&guards, &token).await.is_ok());
}

#[tokio::test]
async fn times_are_looked_at_every_time() {
    let key = Key::new("k");
    let (guards, counting, clock) = guards(&key);
    let token = key.token(&claims());
    assert!(verify(&guards, &token).await.is_ok());
    clock.advance(Duration::from_secs(629));
    assert!(verify(&guards, &token).await.is_ok());
    assert_eq!(counting.asked(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::TokenExpired
    );
}

#[tokio::test]
async fn a_swap_of_keys_makes_everything_be_verified_again() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let (guards, counting, _) = guards(&key);
    let token = key.token(&claims());
    assert!(verify(&guards, &token).await.is_ok());
    counting.guard.set_public_keys([key.public()]).unwrap();
    assert!(verify(&guards, &token).await.is_ok());
    assert_eq!(counting.asked(), 2);
    counting.guard.set_public_keys([other.public()]).unwrap();
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::InvalidToken
    );
}

#[tokio::test]
async fn long_tokens_refused_ones_and_those_of_no_generation_are_not_remembered() {
    let key = Key::new("k");
    let (guards, counting, _) = guards(&key);
    let long = key.token(&claims_with(&json!({"x": "y".repeat(2000)})));
    let bad = key.token(&claims_with(&json!({"aud": "other"})));
    for token in [long, bad] {
        for _ in 0..3 {
            let _ = verify(&guards, &token).await;
        }
        assert_eq!(counting.asked(), 3);
    }
    let (builder, _) = builder();
    let counting = Counting::new(&key);
    let none = builder
        .guard("partner", counting.clone())
        .remember(0)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert!(verify(&none, &key.token(&claims())).await.is_ok());
    }
    assert_eq!(counting.asked(), 3);
}

/// Bounded in bytes: what comes last pushes out what came first, and nothing grows.
#[tokio::test]
async fn the_memory_of_tokens_is_bounded() {
    let key = Key::new("k");
    let (builder, _) = builder();
    let counting = Counting::new(&key);
    let guards = builder
        .guard("partner", counting.clone())
        .remember(64 * 1024)
        .build()
        .unwrap();
    let tokens: Vec<String> = (0..500)
        .map(|n| key.token(&claims_with(&json!({"jti": n.to_string()}))))
        .collect();
    for token in &tokens {
        assert!(verify(&guards, token).await.is_ok());
    }
    counting.asked();
    for token in &tokens {
        assert!(verify(&guards, token).await.is_ok());
    }
    // A token of 400 bytes weighs 1.3 KiB: about fifty are remembered.
    assert!(counting.asked() > 400);
    assert!(guards.verify(&tokens[0], &Context::none()).await.is_ok());
}
