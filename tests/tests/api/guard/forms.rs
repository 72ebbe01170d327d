//! Tokens of issuers in other forms than ours: times with decimals, null, large tokens, keys
//! without names, the newer name of an algorithm.

use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::guard::{Context, GuardRouter, StaticGuard, TokenFault};
use tollgate::keys::{Algorithm, PublicKey};
use tollgate::prelude::*;

use crate::guard::issuer::{
    Key, Partner, START, builder, claims, claims_with, expected, fixed, router, verify,
};

/// R41: seconds may have decimals (RFC 7519 section 2), and no token counts longer for it.
#[tokio::test]
async fn r41_times_may_have_decimals() {
    let key = Key::new("k1");
    let guards = router(expected().leeway(std::time::Duration::ZERO), &key);
    let now = START.as_secs();
    let written = |name: &str, text: String| {
        let mut claims = claims();
        claims[name] = json!("HERE");
        key.sign(
            &key.header().to_string(),
            &claims.to_string().replace("\"HERE\"", &text),
        )
    };
    for (name, text, outcome) in [
        ("exp", format!("{}.5", now + 600), Ok(())),
        ("exp", format!("{}e0", now + 600), Ok(())),
        ("exp", format!("{now}.999"), Err(Code::TokenExpired)),
        ("exp", format!("{}.0", now + 1), Ok(())),
        ("iat", format!("{now}.9"), Ok(())),
        ("iat", format!("{}.0", now + 1), Err(Code::InvalidToken)),
        ("nbf", format!("{now}.0"), Ok(())),
        ("nbf", format!("{now}.001"), Err(Code::InvalidToken)),
        ("nbf", "0".into(), Ok(())),
        ("auth_time", format!("{}.75", now - 9), Ok(())),
        ("exp", "1e400".into(), Err(Code::InvalidToken)),
        ("exp", "1e300".into(), Err(Code::InvalidToken)),
        ("exp", "9007199254740992".into(), Err(Code::InvalidToken)),
        ("exp", "-1".into(), Err(Code::InvalidToken)),
        ("exp", "-0.5".into(), Err(Code::InvalidToken)),
        (
            "exp",
            format!("\"{}.5\"", now + 600),
            Err(Code::InvalidToken),
        ),
        ("iat", "null".into(), Err(Code::InvalidToken)),
        ("nbf", "null".into(), Err(Code::InvalidToken)),
        ("nbf", "\"0\"".into(), Err(Code::InvalidToken)),
        ("auth_time", "\"0\"".into(), Err(Code::InvalidToken)),
    ] {
        let found = verify(&guards, &written(name, text.clone())).await;
        assert_eq!(found.map(drop), outcome, "{name}: {text}");
    }
    let token = written("auth_time", format!("{}.75", now - 9));
    let verified = verify(&guards, &token).await.unwrap();
    assert_eq!(verified.token().auth_time().unwrap().as_secs(), now - 9);
    let token = written("exp", format!("{}.75", now + 600));
    let verified = verify(&guards, &token).await.unwrap();
    assert_eq!(verified.token().expires_at().as_secs(), now + 600);
}

/// Claims of which some may be null.
#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Nullable {
    #[claim(sub)]
    id: String,
    email: Option<String>,
    amr: Option<Vec<String>>,
    #[claim(default)]
    sid: String,
    #[claim(roles, default)]
    roles: Vec<String>,
    #[claim(scope, default)]
    scope: Vec<String>,
}

#[tokio::test]
async fn null_is_as_absent_where_a_claim_is_optional() {
    let key = Key::new("k1");
    let guards: GuardRouter<Nullable> = GuardRouter::builder()
        .clock(Clock::manual(START))
        .guard("partner", fixed(expected(), &[&key]))
        .build()
        .unwrap();
    for (name, counts) in [
        ("acr", true),
        ("amr", true),
        ("azp", true),
        ("sid", true),
        ("nonce", true),
        ("auth_time", true),
        ("jti", true),
        ("scope", true),
        ("roles", true),
        ("email", true),
        ("client_id", true),
        ("unknown", true),
        ("exp", false),
        ("nbf", false),
        ("iat", false),
        ("iss", false),
        ("sub", false),
        ("aud", false),
        ("rlm", false),
    ] {
        let mut claims = claims();
        claims[name] = Value::Null;
        let found = guards.verify(&key.token(&claims), &Context::none()).await;
        assert_eq!(found.is_ok(), counts, "{name}");
        if let Ok(verified) = found {
            let (claims, token) = (verified.claims(), verified.token());
            assert!(name != "scope" || claims.scope().is_empty());
            assert!(name != "roles" || claims.roles().is_empty());
            assert!(name != "email" || claims.email().is_none());
            assert_eq!(claims.amr(), &None);
            assert_eq!(claims.sid(), "");
            assert_eq!(claims.id(), "p-7");
            assert_eq!(
                (token.acr(), token.nonce(), token.auth_time()),
                (None, None, None)
            );
            assert_eq!(token.external_id().is_none(), name == "jti");
        }
    }
    // The header's are strict.
    for changes in [
        json!({"crit": null}),
        json!({"kid": null}),
        json!({"typ": null}),
    ] {
        let found = guards
            .verify(&key.with_header(&changes), &Context::none())
            .await;
        assert!(found.is_err(), "{changes}");
    }
    // An ID token whose `azp` is null counts as one without `azp`.
    let ids = router(expected().accept(tollgate::guard::TokenKind::IdToken), &key);
    let header = json!({"alg": "EdDSA", "kid": "k1"}).to_string();
    for (changes, counts) in [
        (json!({"azp": null}), true),
        (
            json!({"azp": null, "aud": [crate::guard::issuer::AUDIENCE, "b"]}),
            false,
        ),
    ] {
        let token = key.sign(&header, &claims_with(&changes).to_string());
        assert_eq!(verify(&ids, &token).await.is_ok(), counts, "{changes}");
    }
}

fn groups(count: usize) -> Value {
    let groups: Vec<_> = (0..count)
        .map(|n| format!("{n:08x}-0000-0000-0000-00000000abcd"))
        .collect();
    claims_with(&json!({ "groups": groups }))
}

fn members(count: usize) -> Value {
    // Good claims have nine.
    let more: serde_json::Map<String, Value> = (0..count - 9)
        .map(|n| (format!("m{n}"), json!(0)))
        .collect();
    claims_with(&Value::Object(more))
}

/// R3, R7: the bounds are the guard's to set, up to bounds of their own.
#[tokio::test]
async fn r3_r7_a_guard_says_how_large_tokens_may_be() {
    let key = Key::new("k1");
    let narrow = router(expected(), &key);
    let wide = router(expected().max_bytes(64 * 1024).max_members(4096), &key);
    let reason = |guards: &GuardRouter<Partner>| {
        let mut all = guards.health()[0].refused.clone();
        all.extend(guards.refused());
        all
    };
    // 150 and 200 groups, as Microsoft Entra has them.
    for count in [150, 200, 1000] {
        let token = key.token(&groups(count));
        assert!(
            token.len() > 8 * 1024 && token.len() < 64 * 1024,
            "{}",
            token.len()
        );
        assert!(verify(&narrow, &token).await.is_err(), "{count}");
        assert!(verify(&wide, &token).await.is_ok(), "{count}");
    }
    assert_eq!(reason(&narrow), [(TokenFault::TooLarge, 3)]);
    for (count, counts) in [(256, [true, true]), (257, [false, true])] {
        let token = key.token(&members(count));
        assert_eq!(verify(&narrow, &token).await.is_ok(), counts[0], "{count}");
        assert_eq!(verify(&wide, &token).await.is_ok(), counts[1], "{count}");
    }
    for (count, counts) in [(4096, true), (4097, false)] {
        let token = key.token(&members(count));
        assert!(token.len() < 64 * 1024);
        assert_eq!(verify(&wide, &token).await.is_ok(), counts, "{count}");
    }
    assert!(verify(&wide, &key.token(&groups(1400))).await.is_err());
    // One by the guard, and one before any guard was chosen.
    assert_eq!(reason(&wide), [(TokenFault::TooLarge, 1); 2]);
    // Nesting has one bound.
    let deep = |levels: usize| {
        let nested = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let claims = claims()
            .to_string()
            .replacen('{', &format!("{{\"x\":{nested},"), 1);
        key.sign(&key.header().to_string(), &claims)
    };
    assert!(verify(&wide, &deep(15)).await.is_ok());
    assert!(verify(&wide, &deep(16)).await.is_err());
    // One guard reads it, and another beside it does not.
    let other = expected();
    let both = builder()
        .0
        .guard("narrow", fixed(other, &[&key]))
        .guard(
            "wide",
            fixed(
                tollgate::guard::Issuer::new("https://wide.example")
                    .audience(crate::guard::issuer::AUDIENCE)
                    .algorithms([Algorithm::EdDSA])
                    .max_bytes(64 * 1024)
                    .max_members(4096),
                &[&key],
            ),
        )
        .build()
        .unwrap();
    for (iss, counts) in [
        (crate::guard::issuer::ISSUER, false),
        ("https://wide.example", true),
    ] {
        for mut claims in [groups(200), members(300)] {
            claims["iss"] = json!(iss);
            assert_eq!(
                verify(&both, &key.token(&claims)).await.is_ok(),
                counts,
                "{iss}"
            );
        }
    }
    for (issuer, word) in [
        (expected().max_bytes(64 * 1024 + 1), "max_bytes"),
        (expected().max_bytes(0), "max_bytes"),
        (expected().max_members(4097), "max_members"),
        (expected().max_members(0), "max_members"),
    ] {
        let error = builder()
            .0
            .guard("a", fixed(issuer, &[&key]))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// R21, R34: a token that names no key is verified by the only one that fits it; by several only
/// where the guard says so, and by at most four.
#[tokio::test]
async fn r21_r34_a_token_without_kid_has_one_key_that_fits() {
    let (a, b) = (Key::new("a"), Key::new("b"));
    let (es, rs) = (
        Key::of("e", Algorithm::ES256),
        Key::of("r", Algorithm::RS256),
    );
    let more: Vec<_> = ["c", "d", "e2"].map(Key::new).into();
    let issuer = || expected().algorithms([Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256]);
    for (keys, one, several) in [
        (vec![&a], true, true),
        (vec![&es, &rs, &a], true, true),
        (vec![&b, &a], false, true),
        (vec![&b, &more[0], &more[1], &a], false, true),
        (vec![&b, &more[0], &more[1], &more[2], &a], false, false),
        (vec![&b, &es], false, false),
        (vec![&es, &rs], false, false),
    ] {
        let token = a.with_header(&json!({"kid": "-"}));
        let strict = router_of(issuer(), &keys);
        assert_eq!(verify(&strict, &token).await.is_ok(), one, "{}", keys.len());
        let trying = router_of(issuer().try_without_kid(), &keys);
        assert_eq!(
            verify(&trying, &token).await.is_ok(),
            several,
            "{}",
            keys.len()
        );
        // A name that is unknown never leads to another key.
        let named = a.with_header(&json!({"kid": "unknown"}));
        assert!(verify(&trying, &named).await.is_err());
    }
}

fn router_of(issuer: tollgate::guard::Issuer, keys: &[&Key]) -> GuardRouter<Partner> {
    builder()
        .0
        .guard("partner", fixed(issuer, keys))
        .build()
        .unwrap()
}

/// RFC 9864: `Ed25519` in a key or in a token is `EdDSA`.
#[tokio::test]
async fn the_newer_name_of_eddsa_is_the_same() {
    let key = Key::new("k1");
    for in_key in ["EdDSA", "Ed25519"] {
        let mut jwk = key.jwk();
        jwk["alg"] = json!(in_key);
        let jwk = serde_json::from_value(jwk).unwrap();
        let public = PublicKey::from_jwk(&jwk, &[Algorithm::EdDSA]).unwrap();
        assert_eq!(public.algorithm(), Algorithm::EdDSA);
        let guard = StaticGuard::<Partner>::new(expected());
        guard.set_public_keys([public]).unwrap();
        let guards = builder().0.guard("partner", guard).build().unwrap();
        for (in_token, counts) in [
            ("EdDSA", true),
            ("Ed25519", true),
            ("ed25519", false),
            ("Ed448", false),
        ] {
            let token = key.with_header(&json!({"alg": in_token}));
            assert_eq!(
                verify(&guards, &token).await.is_ok(),
                counts,
                "{in_key} {in_token}"
            );
        }
    }
    let es = Key::of("k1", Algorithm::ES256);
    let guards = router(expected().algorithms([Algorithm::ES256]), &es);
    let token = es.with_header(&json!({"alg": "Ed25519"}));
    assert!(verify(&guards, &token).await.is_err());
}
