//! Tokens that are good for one action, and once.

use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::guard::{Context, GuardRouter, Issuer, JwtGuard, StaticGuard, Wanted, digest};
use tollgate::prelude::*;
use tollgate::token::Verified;

use crate::guard::issuer::{
    Key, Partner, PartnerClaims, START, claims, claims_with, expected, fixed,
};

#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Transfer {
    #[claim(sub)]
    id: String,
    #[claim(action, rename = "txn_digest")]
    action: String,
}

fn guards(key: &Key, store: impl Into<Store>) -> (GuardRouter<Transfer>, Clock) {
    let clock = Clock::manual(START);
    let builder = GuardRouter::builder().clock(clock.clone()).store(store);
    (
        builder
            .guard("bank", fixed(expected(), &[key]))
            .build()
            .unwrap(),
        clock,
    )
}

fn bound(key: &Key, action: &[u8], jti: &Value) -> String {
    key.token(&claims_with(
        &json!({"txn_digest": digest(action), "jti": jti}),
    ))
}

/// Q36.
#[tokio::test]
async fn an_action_bound_token_counts_for_its_action_and_once() {
    let key = Key::new("k");
    let (guards, clock) = guards(&key, MemoryStore::new());
    let (wanted, other) = (digest(b"20 to Ada"), digest(b"2000 to Mallory"));
    let verify = async |token: &str, context: Context<'_>| {
        guards
            .verify(token, &context)
            .await
            .map(|verified| verified.claims().id().clone())
            .map_err(|refusal| refusal.code())
    };
    let token = bound(&key, b"20 to Ada", &json!("t1"));
    // A try with another action, or with none, does not use the token up.
    assert_eq!(
        verify(&token, Context::action(&other)).await,
        Err(Code::InvalidToken)
    );
    assert_eq!(
        verify(&token, Context::none()).await,
        Err(Code::InvalidToken)
    );
    assert_eq!(
        verify(&token, Context::action("")).await,
        Err(Code::InvalidToken)
    );
    assert_eq!(
        verify(&token, Context::action(&wanted)).await,
        Ok("p-7".into())
    );
    assert_eq!(
        verify(&token, Context::action(&wanted)).await,
        Err(Code::InvalidToken)
    );
    // Nor does another signature over the same `jti` make another token of it.
    let again = key.token(&claims_with(
        &json!({"txn_digest": wanted, "jti": "t1", "x": 1}),
    ));
    assert_eq!(
        verify(&again, Context::action(&wanted)).await,
        Err(Code::InvalidToken)
    );
    // As long as it lives, the leeway included.
    clock.advance(std::time::Duration::from_secs(629));
    assert_eq!(
        verify(&token, Context::action(&wanted)).await,
        Err(Code::InvalidToken)
    );
    clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        verify(&token, Context::action(&wanted)).await,
        Err(Code::TokenExpired)
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_told_from_others_is_not_good_for_an_action() {
    let key = Key::new("k");
    let (guards, _) = guards(&key, MemoryStore::new());
    let wanted = digest(b"pay");
    for token in [
        bound(&key, b"pay", &json!("-")),
        bound(&key, b"pay", &json!("")),
        key.token(&claims()),
        key.token(&claims_with(&json!({"txn_digest": ""}))),
        key.token(&claims_with(&json!({"txn_digest": null}))),
    ] {
        for context in [
            Context::action(&wanted),
            Context::action(""),
            Context::none(),
        ] {
            assert_eq!(
                guards.verify(&token, &context).await.unwrap_err().code(),
                Code::InvalidToken,
                "{token}"
            );
        }
    }
}

#[tokio::test]
async fn of_a_hundred_uses_at_once_one_succeeds() {
    let key = Key::new("k");
    let (guards, _) = guards(&key, MemoryStore::new());
    let (token, wanted) = (bound(&key, b"pay", &json!("t1")), digest(b"pay"));
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (guards, token, wanted) = (guards.clone(), token.clone(), wanted.clone());
        uses.spawn(async move {
            guards
                .verify(&token, &Context::action(&wanted))
                .await
                .is_ok()
        });
    }
    assert_eq!(
        uses.join_all()
            .await
            .into_iter()
            .filter(|is_ok| *is_ok)
            .count(),
        1
    );
}

/// The same `jti` of two issuers are two tokens.
#[tokio::test]
async fn each_issuer_names_its_tokens_for_itself() {
    let key = Key::new("k");
    let store: Store = MemoryStore::new().into();
    let other = Issuer::new("https://other.example")
        .audience("https://api.example.com")
        .algorithms([tollgate::keys::Algorithm::EdDSA]);
    let builder = GuardRouter::<Transfer>::builder()
        .clock(Clock::manual(START))
        .store(store);
    let guards = builder
        .guard("a", fixed(expected(), &[&key]))
        .guard("b", fixed(other, &[&key]))
        .build()
        .unwrap();
    let wanted = digest(b"pay");
    let of_b = key.token(&claims_with(
        &json!({"txn_digest": wanted, "jti": "t1", "iss": "https://other.example"}),
    ));
    assert!(
        guards
            .verify(
                &bound(&key, b"pay", &json!("t1")),
                &Context::action(&wanted)
            )
            .await
            .is_ok()
    );
    assert!(
        guards
            .verify(&of_b, &Context::action(&wanted))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_action_asks_for_a_token_that_is_bound_to_one() {
    let key = Key::new("k");
    let guards = crate::guard::issuer::router(expected(), &key);
    let token = key.token(&claims());
    assert!(guards.verify(&token, &Context::none()).await.is_ok());
    assert_eq!(
        guards
            .verify(&token, &Context::action(&digest(b"pay")))
            .await
            .unwrap_err()
            .code(),
        Code::InvalidToken
    );
}

#[test]
fn without_a_store_nobody_could_tell_what_was_used() {
    let guard: StaticGuard<Transfer> = StaticGuard::new(expected());
    let error = GuardRouter::alone("bank", guard).unwrap_err();
    assert!(
        error.to_string().contains("say where that is noted"),
        "{error}"
    );
}

/// A guard that the application wrote: it judges the claims, and who presents the token.
struct ForTellers(StaticGuard<Partner>);

impl JwtGuard for ForTellers {
    type User = Partner;

    fn issuer(&self) -> &Issuer {
        self.0.issuer()
    }

    async fn public_keys(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<std::sync::Arc<tollgate::keys::PublicKeySet>, AuthError> {
        self.0.public_keys(wanted).await
    }

    fn generation(&self, now: tollgate::clock::Timestamp) -> Option<u64> {
        self.0.generation(now)
    }

    async fn verify_custom_claims(
        &self,
        token: &Verified<PartnerClaims>,
        context: &Context<'_>,
    ) -> Result<(), AuthError> {
        match context.caller {
            Some("down") => Err(AuthError::unavailable("the list of tellers cannot be read")),
            Some(teller) if token.claims().roles().iter().any(|role| role == teller) => Ok(()),
            _ => Err(AuthError::Invalid),
        }
    }
}

/// Custom claims are looked at every time, also of a token that was seen before.
#[tokio::test]
async fn a_guard_of_ones_own_has_the_last_word() {
    let key = Key::new("k");
    let guard = ForTellers(fixed(expected(), &[&key]));
    let guards = GuardRouter::builder()
        .clock(Clock::manual(START))
        .guard("tellers", guard)
        .build()
        .unwrap();
    let token = key.token(&claims_with(&json!({"roles": ["teller-7"]})));
    for _ in 0..2 {
        let with = async |context: Context<'_>| {
            guards
                .verify(&token, &context)
                .await
                .map(drop)
                .map_err(|refusal| refusal.code())
        };
        assert_eq!(with(Context::none().caller("teller-7")).await, Ok(()));
        assert_eq!(
            with(Context::none().caller("teller-8")).await,
            Err(Code::InvalidToken)
        );
        assert_eq!(with(Context::none()).await, Err(Code::InvalidToken));
        assert_eq!(
            with(Context::none().caller("down")).await,
            Err(Code::Unavailable)
        );
    }
}
