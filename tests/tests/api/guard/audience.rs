//! The audience of tokens without `aud`, and the other spellings of an issuer.

use serde_json::{Value, json};
use tollgate::guard::{AudienceClaim, Context, GuardRouter, Issuer, StaticGuard, TokenKind};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

use crate::guard::issuer::{
    AUDIENCE, ISSUER, Key, Partner, builder, claims_with, expected, fixed, router, verify,
};

fn token(key: &Key, changes: &Value) -> String {
    let header = json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"}).to_string();
    key.sign(&header, &claims_with(changes).to_string())
}

/// R47: `aud` alone counts where it is there; another claim stands for it in tokens that say of
/// which kind they are.
#[tokio::test]
async fn r47_another_claim_stands_for_an_absent_audience_only() {
    let key = Key::new("k1");
    let loose = || expected().accept(TokenKind::LooseAccessToken);
    let names = [
        ("client_id", AudienceClaim::ClientId),
        ("azp", AudienceClaim::Azp),
        ("appid", AudienceClaim::AppId),
    ];
    for (name, claim) in names {
        let guards = router(loose().audience_claim(claim), &key);
        for (mut changes, counts) in [
            (json!({"aud": "-", "typ": "Bearer", "HERE": AUDIENCE}), true),
            (
                json!({"aud": "-", "token_use": "access", "HERE": AUDIENCE}),
                true,
            ),
            // Without a mark of its kind the token may be for anybody.
            (json!({"aud": "-", "HERE": AUDIENCE}), false),
            (json!({"aud": "-", "scope": "a", "HERE": AUDIENCE}), false),
            (json!({"aud": "-", "typ": "Bearer", "HERE": "other"}), false),
            (json!({"aud": "-", "typ": "Bearer", "HERE": ""}), false),
            (json!({"aud": "-", "typ": "Bearer", "HERE": null}), false),
            (
                json!({"aud": "-", "typ": "Bearer", "HERE": [AUDIENCE]}),
                false,
            ),
            (json!({"aud": "-", "typ": "Bearer"}), false),
            // An audience that is there is the only one.
            (
                json!({"aud": "other", "typ": "Bearer", "HERE": AUDIENCE}),
                false,
            ),
            (json!({"aud": [], "typ": "Bearer", "HERE": AUDIENCE}), false),
            (
                json!({"aud": null, "typ": "Bearer", "HERE": AUDIENCE}),
                false,
            ),
            (json!({"aud": AUDIENCE, "HERE": "other"}), true),
        ] {
            if let Some(value) = changes.as_object_mut().unwrap().remove("HERE") {
                changes[name] = value;
            }
            let found = verify(&guards, &token(&key, &changes)).await;
            assert_eq!(found.is_ok(), counts, "{name}: {changes}");
            if let Ok(verified) = found {
                assert_eq!(verified.token().audience(), AUDIENCE);
            }
        }
        // Nor without the guard's saying so, nor from another of the three.
        let changes = json!({"aud": "-", "typ": "Bearer", name: AUDIENCE});
        assert!(
            verify(&router(loose(), &key), &token(&key, &changes))
                .await
                .is_err()
        );
        for (other, claim) in names {
            let guards = router(loose().audience_claim(claim), &key);
            let found = verify(&guards, &token(&key, &changes)).await;
            assert_eq!(found.is_ok(), other == name);
        }
    }
    // By the header's mark too.
    let guards = router(expected().audience_claim(AudienceClaim::ClientId), &key);
    let by_header = claims_with(&json!({"aud": "-", "client_id": AUDIENCE}));
    assert!(verify(&guards, &key.token(&by_header)).await.is_ok());

    let guards = router(loose().audience_claim_dangerous("client"), &key);
    for (changes, counts) in [
        (json!({"aud": "-", "client": AUDIENCE}), true),
        (json!({"aud": "-", "client": "other"}), false),
        (json!({"aud": "other", "client": AUDIENCE}), false),
        (json!({"aud": "-", "client": AUDIENCE, "typ": "ID"}), false),
    ] {
        let found = verify(&guards, &token(&key, &changes)).await;
        assert_eq!(found.is_ok(), counts, "{changes}");
    }
    let nameless = builder()
        .0
        .guard("a", fixed(loose().audience_claim_dangerous(""), &[&key]))
        .build();
    assert!(nameless.is_err());
}

/// An ID token may be issued to an app of the same program, where the guard names it.
#[tokio::test]
async fn an_id_token_may_be_issued_to_another_known_client() {
    let key = Key::new("k1");
    let ids = || expected().accept(TokenKind::IdToken);
    let of = |azp: &str| token(&key, &json!({"azp": azp}));
    assert!(verify(&router(ids(), &key), &of("android")).await.is_err());
    let guards = router(ids().authorized_party("android"), &key);
    for (azp, counts) in [
        ("android", true),
        (AUDIENCE, true),
        ("ios", false),
        ("", false),
    ] {
        assert_eq!(verify(&guards, &of(azp)).await.is_ok(), counts, "{azp}");
    }
    // A client is no audience for that.
    let found = verify(
        &guards,
        &token(&key, &json!({"aud": "android", "azp": "android"})),
    )
    .await;
    assert!(found.is_err());
}

/// R46, R48: the spellings of an issuer are one issuer, whose users are the same.
#[tokio::test]
async fn r46_r48_a_user_is_one_under_each_spelling() {
    let key = Key::new("k1");
    let issuer = || {
        expected()
            .alias("partner.example")
            .alias("https://partner.example")
    };
    let guards = router(issuer(), &key);
    for iss in [ISSUER, "partner.example", "https://partner.example"] {
        let token = key.token(&claims_with(&json!({"iss": iss})));
        // The second time it is remembered.
        for _ in 0..2 {
            let verified = verify(&guards, &token).await.unwrap();
            assert_eq!(verified.token().issuer(), iss);
            assert_eq!(verified.token().identity(), (ISSUER, "p-7"));
        }
    }
    let tokens =
        [ISSUER, "partner.example"].map(|iss| key.token(&claims_with(&json!({"iss": iss}))));
    let [one, other] = tokens;
    assert_eq!(
        verify(&guards, &one).await.unwrap().token().jti(),
        verify(&guards, &other).await.unwrap().token().jti()
    );
    for iss in [
        "partner.example/",
        "PARTNER.example",
        "http://partner.example",
        "",
    ] {
        let token = key.token(&claims_with(&json!({"iss": iss})));
        assert!(verify(&guards, &token).await.is_err(), "{iss}");
    }
    assert_eq!(guards.issuers().collect::<Vec<_>>(), [ISSUER]);

    let other = |name: &str| {
        let other = Issuer::new(name)
            .audience("a")
            .algorithms([Algorithm::EdDSA]);
        fixed::<Partner>(other, &[&key])
    };
    for name in ["partner.example", "https://partner.example", ISSUER] {
        let error = builder()
            .0
            .guard("a", fixed(issuer(), &[&key]))
            .guard("b", other(name))
            .build()
            .unwrap_err();
        assert!(
            error.to_string().contains("both are for the issuer"),
            "{error}"
        );
        let error = builder()
            .0
            .guard("b", other(name))
            .guard("a", fixed(issuer(), &[&key]))
            .build()
            .unwrap_err();
        assert!(
            error.to_string().contains("both are for the issuer"),
            "{error}"
        );
        let error = builder()
            .0
            .guard("a", fixed(issuer(), &[&key]))
            .not(name)
            .build();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("the gate itself verifies"), "{error}");
    }
    for (issuer, word) in [
        (expected().alias(""), "aliases is empty"),
        (expected().alias(ISSUER), "aliases is its name"),
        (expected().alias("https://{tenantid}/"), "its name has not"),
    ] {
        let error = builder()
            .0
            .guard("a", fixed(issuer, &[&key]))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// A token for one action is used up under each spelling of its issuer.
#[tokio::test]
async fn a_used_token_does_not_count_under_another_spelling() {
    #[derive(Clone, JwtClaims)]
    #[claims(external)]
    struct Approval {
        #[claim(sub)]
        _id: String,
        #[claim(action, rename = "txn")]
        _action: String,
    }
    let key = Key::new("k1");
    let guards: GuardRouter<Approval> = GuardRouter::builder()
        .clock(tollgate::clock::Clock::manual(crate::guard::issuer::START))
        .guard("bank", fixed(expected().alias("partner.example"), &[&key]))
        .store(MemoryStore::new())
        .build()
        .unwrap();
    let mut outcomes = Vec::new();
    for iss in [ISSUER, "partner.example", ISSUER] {
        let token = key.token(&claims_with(&json!({"iss": iss, "txn": "a", "jti": "one"})));
        outcomes.push(guards.verify(&token, &Context::action("a")).await.is_ok());
    }
    assert_eq!(outcomes, [true, false, false]);
}

/// Another deployment of tollgate has realms: a guard for each, of one issuer.
#[tokio::test]
async fn guards_of_one_issuer_and_two_realms_stand_beside_each_other() {
    let key = Key::new("k1");
    let of = |realm: Option<&str>| {
        let issuer = realm.map_or_else(expected, |realm| expected().realm(realm));
        fixed::<Partner>(issuer, &[&key])
    };
    let guards = builder()
        .0
        .guard("customers", of(None))
        .guard("staff", of(Some("staff")))
        .build()
        .unwrap();
    let claims = |realm: Value| claims_with(&json!({ "rlm": realm }));
    for (realm, guard) in [
        (json!("-"), Some("customers")),
        (json!("staff"), Some("staff")),
        (json!("partners"), None),
        (json!(""), None),
        (json!(null), None),
        (json!(["staff"]), None),
    ] {
        let token = key.token(&claims(realm.clone()));
        for _ in 0..2 {
            let found = verify(&guards, &token).await.ok();
            let found = found.as_ref().and_then(|verified| verified.token().guard());
            assert_eq!(found, guard, "{realm}");
        }
    }
    let twice = builder()
        .0
        .guard("a", of(Some("staff")))
        .guard("b", of(Some("staff")))
        .build();
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains("both are for the issuer")
    );
    let only = builder()
        .0
        .guard("staff", of(Some("staff")))
        .build()
        .unwrap();
    assert!(
        verify(&only, &key.token(&claims(json!("-"))))
            .await
            .is_err()
    );
    let guard: StaticGuard<Partner> = of(Some("Staff"));
    assert!(builder().0.guard("staff", guard).build().is_err());
}
