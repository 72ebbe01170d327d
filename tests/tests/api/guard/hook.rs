//! A guard's own check: it may look something up, and sees the token that was verified.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tollgate::clock::{Clock, Timestamp};
use tollgate::guard::{Context, GuardRouter, Issuer, JwtGuard, StaticGuard, TokenFault, Wanted};
use tollgate::keys::PublicKeySet;
use tollgate::prelude::*;
use tollgate::token::Verified;

use crate::guard::issuer::{
    Key, Partner, PartnerClaims, START, claims, claims_with, expected, fixed, verify,
};

/// A guard that asks elsewhere whether a session lives.
#[derive(Clone)]
struct Asking {
    guard: StaticGuard<Partner>,
    asked: Arc<AtomicUsize>,
    ended: Arc<Mutex<Vec<String>>>,
    takes: Duration,
}

impl JwtGuard for Asking {
    type User = Partner;

    fn issuer(&self) -> &Issuer {
        self.guard.issuer()
    }

    async fn public_keys(&self, wanted: Wanted<'_>) -> Result<Arc<PublicKeySet>, AuthError> {
        self.guard.public_keys(wanted).await
    }

    fn generation(&self, now: Timestamp) -> Option<u64> {
        self.guard.generation(now)
    }

    async fn verify_custom_claims(
        &self,
        token: &Verified<PartnerClaims>,
        context: &Context<'_>,
    ) -> Result<(), AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let parts = context.token().unwrap();
        let payload: Value = serde_json::from_str(&parts.payload()).unwrap();
        assert_eq!(payload["sub"], json!(token.claims().id()));
        let header: Value = serde_json::from_str(&parts.header()).unwrap();
        assert_eq!(header["kid"], json!(token.token().kid()));
        assert_eq!(parts.as_str().matches('.').count(), 2);
        assert!(!format!("{parts:?} {context:?}").contains(parts.as_str()));
        assert_eq!(parts.claim::<u64>("sid"), None);
        tokio::time::sleep(self.takes).await;
        let session: Option<String> = parts.claim("sid");
        let session = session.ok_or(AuthError::Invalid)?;
        if self.ended.lock().unwrap().contains(&session) {
            return Err(AuthError::Gone);
        }
        Ok(())
    }
}

fn asking(key: &Key, takes: Duration) -> (GuardRouter<Partner>, Asking) {
    let guard = Asking {
        guard: fixed(expected(), &[key]),
        asked: Arc::default(),
        ended: Arc::default(),
        takes,
    };
    let guards = GuardRouter::builder()
        .clock(Clock::manual(START))
        .guard("partner", guard.clone())
        .build()
        .unwrap();
    (guards, guard)
}

#[tokio::test(start_paused = true)]
async fn the_check_runs_each_time_and_never_before_the_signature_held() {
    let (key, other) = (Key::new("k1"), Key::new("k1"));
    let (guards, guard) = asking(&key, Duration::from_millis(5));
    let token = key.token(&claims_with(&json!({"sid": "s1"})));
    for n in 1..=3 {
        assert!(verify(&guards, &token).await.is_ok());
        assert_eq!(guard.asked.load(Ordering::SeqCst), n);
    }
    guard.ended.lock().unwrap().push("s1".into());
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::InvalidToken
    );
    assert_eq!(guards.health()[0].refused, [(TokenFault::Custom, 1)]);
    assert_eq!(guard.asked.load(Ordering::SeqCst), 4);
    for bad in [
        other.token(&claims_with(&json!({"sid": "s1"}))),
        key.token(&claims_with(&json!({"aud": "other"}))),
        key.token(&claims_with(&json!({"exp": START.as_secs() - 31}))),
        key.with_header(&json!({"typ": "JWT"})),
    ] {
        assert!(verify(&guards, &bad).await.is_err());
    }
    assert_eq!(guard.asked.load(Ordering::SeqCst), 4);
    assert_eq!(
        verify(&guards, &key.token(&claims())).await.unwrap_err(),
        Code::InvalidToken
    );
}

/// A check that does not answer decides nothing: 503, and no token counts.
#[tokio::test(start_paused = true)]
async fn a_check_has_two_seconds() {
    let key = Key::new("k1");
    let token = key.token(&claims_with(&json!({"sid": "s1"})));
    for (millis, outcome) in [
        (1999, Ok(())),
        (2001, Err(Code::Unavailable)),
        (u64::from(u32::MAX), Err(Code::Unavailable)),
    ] {
        let (guards, _) = asking(&key, Duration::from_millis(millis));
        assert_eq!(verify(&guards, &token).await.map(drop), outcome, "{millis}");
        assert!(guards.health()[0].refused.is_empty());
    }
}

/// A check that answers at once needs no timer, so that guards work without one.
#[test]
fn a_check_that_answers_at_once_needs_no_timer() {
    let key = Key::new("k1");
    let guards = crate::guard::issuer::router(expected(), &key);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let found = runtime.block_on(verify(&guards, &key.token(&claims())));
    assert!(found.is_ok());
}
