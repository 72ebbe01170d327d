//! Which tokens of an issuer count, and which do not.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::guard::{Context, GuardRouter, Issuer, StaticGuard, TokenKind};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

use crate::guard::issuer::{
    AUDIENCE, ISSUER, Key, Partner, START, builder, claims, claims_with, expected, fixed, router,
    verify,
};

#[tokio::test]
async fn a_good_token_counts_and_tells_all_that_is_known() {
    let key = Key::new("k1");
    let guards = router(expected(), &key);
    let token = key.token(&claims_with(
        &json!({"auth_time": START.as_secs() - 9, "acr": "gold", "client_id": "shop"}),
    ));
    let verified = verify(&guards, &token).await.unwrap();
    let (claims, info) = (verified.claims(), verified.token());
    assert_eq!(
        (claims.id().as_str(), claims.email().as_deref()),
        ("p-7", Some("p@partner.example"))
    );
    assert_eq!(
        (claims.roles().as_slice(), claims.scope().as_slice()),
        (
            &["buyer".to_owned()][..],
            &["read".to_owned(), "write".to_owned()][..]
        )
    );
    assert_eq!(info.identity(), (ISSUER, "p-7"));
    assert_eq!(
        (info.guard(), info.issuer(), info.audience(), info.subject()),
        (Some("partner"), ISSUER, AUDIENCE, "p-7")
    );
    assert_eq!(
        (info.kid(), info.client_id(), info.external_id(), info.acr()),
        ("k1", "shop", Some("one"), Some("gold"))
    );
    assert_eq!(info.auth_time().unwrap().as_secs(), START.as_secs() - 9);
    assert_eq!(
        (info.sid(), info.generation(), info.epoch(), info.nonce()),
        (None, None, 0, None)
    );
    assert_eq!(
        (info.issued_at(), info.expires_at().as_secs()),
        (START, START.as_secs() + 600)
    );
    let other = verify(&guards, &key.token(&claims_with(&json!({"jti": "two"}))))
        .await
        .unwrap();
    assert_ne!(other.token().jti(), info.jti());
}

#[tokio::test]
async fn every_algorithm_that_is_allowed_verifies() {
    for algorithm in [
        Algorithm::EdDSA,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::RS256,
        Algorithm::PS256,
    ] {
        let key = Key::of("k", algorithm);
        let token = key.token(&claims());
        assert!(
            verify(&router(expected().algorithms([algorithm]), &key), &token)
                .await
                .is_ok(),
            "{algorithm:?}"
        );
        // R18: a key of another algorithm is not even taken.
        let guard = StaticGuard::<Partner>::new(expected().algorithms([Algorithm::RS512]));
        let error = guard.set_public_keys([key.public()]).unwrap_err();
        assert!(
            error.to_string().contains(&format!("is for {algorithm:?}")),
            "{error}"
        );
    }
}

/// R10, R12, R13, R14, R34, R49: what a header may not say.
#[tokio::test]
async fn r10_r12_r13_r14_r34_headers_are_read_strictly() {
    let key = Key::new("k1");
    let guards = router(expected(), &key);
    for (changes, counts) in [
        (json!({}), true),
        (json!({"typ": "application/at+jwt"}), true),
        (json!({"typ": "AT+JWT"}), true),
        (json!({"x": {"a": [1]}}), true),
        (json!({"alg": "none"}), false),
        (json!({"alg": "None"}), false),
        (json!({"alg": "eddsa"}), false),
        (json!({"alg": "EdDSA "}), false),
        (json!({"alg": "RS256"}), false),
        (json!({"alg": null}), false),
        (json!({"alg": "-"}), false),
        (json!({"alg": ["EdDSA"]}), false),
        (json!({"crit": ["exp"]}), false),
        (json!({"crit": []}), false),
        (json!({"crit": null}), false),
        (json!({"b64": false}), false),
        (json!({"b64": true}), false),
        (json!({"zip": "DEF"}), false),
        (json!({"typ": "JWT"}), false),
        (json!({"typ": "-"}), false),
        (json!({"typ": "logout+jwt"}), false),
        (json!({"typ": "dpop+jwt"}), false),
        (json!({"typ": null}), false),
        (json!({"kid": 1}), false),
        (json!({"kid": null}), false),
        (json!({"kid": "K1"}), false),
        (json!({"kid": "../../dev/null"}), false),
        (json!({"kid": "' OR 1=1--"}), false),
        (json!({"kid": "\u{0}"}), false),
        (json!({"kid": "k".repeat(10_000)}), false),
        (json!({"cty": "x".repeat(2000)}), false),
    ] {
        assert_eq!(
            verify(&guards, &key.with_header(&changes)).await.is_ok(),
            counts,
            "{changes}"
        );
    }
    let good = key.token(&claims());
    let (header, payload) = (key.header().to_string(), claims().to_string());
    let twice = header.replacen('{', r#"{"alg":"EdDSA","#, 1);
    let escaped = header.replacen('{', r#"{"\u0061lg":"EdDSA","#, 1);
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        unreachable!()
    };
    for token in [
        key.sign(&twice, &payload),
        key.sign(&escaped, &payload),
        key.sign(&format!("{header} x"), &payload),
        key.sign("[]", &payload),
        key.sign(&header, "[]"),
        key.sign(
            &header,
            &payload.replacen('{', r#"{"iss":"https://partner.example/","#, 1),
        ),
        key.sign(&header, &payload.replacen('{', r#"{"x":1,"x":1,"#, 1)),
        key.sign(&header, &payload.replacen('{', r#"{"x":{"a":1,"a":2},"#, 1)),
        key.sign(&header, &format!("{payload}{payload}")),
        key.sign(&header, &format!("\u{feff}{payload}")),
        key.sign(
            &header,
            &payload.replacen(
                '{',
                &format!(r#"{{"x":{}1{},"#, "[".repeat(17), "]".repeat(17)),
                1,
            ),
        ),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}="),
        format!("{head}.{body}.{signature}."),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{head}.{body}.{}", &signature[..signature.len() - 2]),
        format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        "..".into(),
        ".".repeat(100_000),
        "a".repeat(9000),
        json!({"payload": body, "protected": head, "signature": signature}).to_string(),
    ] {
        assert_eq!(
            verify(&guards, &token).await.unwrap_err(),
            Code::InvalidToken,
            "{token}"
        );
    }
    assert!(verify(&guards, &good).await.is_ok());
}

/// R41 to R48: what claims may not say.
#[tokio::test]
async fn r41_to_r48_claims_are_held_against_what_is_expected() {
    let key = Key::new("k1");
    let guards = router(expected().leeway(Duration::ZERO), &key);
    let now = START.as_secs();
    for (changes, outcome) in [
        (json!({}), Ok(())),
        (json!({"aud": ["other", AUDIENCE]}), Ok(())),
        (json!({"jti": "-"}), Ok(())),
        (json!({"nbf": now}), Ok(())),
        (json!({"exp": "-"}), Err(Code::InvalidToken)),
        (json!({"exp": now}), Err(Code::TokenExpired)),
        (json!({"exp": now + 1}), Ok(())),
        (
            json!({"exp": (now + 600).to_string()}),
            Err(Code::InvalidToken),
        ),
        (json!({"exp": [now + 600]}), Err(Code::InvalidToken)),
        (json!({"exp": true}), Err(Code::InvalidToken)),
        (json!({"exp": -1}), Err(Code::InvalidToken)),
        (json!({"exp": null}), Err(Code::InvalidToken)),
        (json!({"exp": 1e300}), Err(Code::InvalidToken)),
        (json!({"exp": u64::MAX}), Err(Code::InvalidToken)),
        (json!({"exp": now + 86_401}), Err(Code::InvalidToken)),
        (json!({"exp": now + 86_400}), Ok(())),
        (json!({"nbf": now + 1}), Err(Code::InvalidToken)),
        (json!({"nbf": "0"}), Err(Code::InvalidToken)),
        (json!({"iat": "-"}), Err(Code::InvalidToken)),
        (json!({"iat": now + 1}), Err(Code::InvalidToken)),
        (json!({"iat": {}}), Err(Code::InvalidToken)),
        (json!({"iss": "-"}), Err(Code::InvalidToken)),
        (json!({"iss": [ISSUER]}), Err(Code::InvalidToken)),
        (
            json!({"iss": ISSUER.trim_end_matches('/')}),
            Err(Code::InvalidToken),
        ),
        (
            json!({"iss": ISSUER.to_uppercase()}),
            Err(Code::InvalidToken),
        ),
        (json!({"aud": "-"}), Err(Code::InvalidToken)),
        (json!({"aud": []}), Err(Code::InvalidToken)),
        (
            json!({"aud": "https://api.example.com/"}),
            Err(Code::InvalidToken),
        ),
        (
            json!({"aud": "https://api.example"}),
            Err(Code::InvalidToken),
        ),
        (json!({"aud": [AUDIENCE, 7]}), Err(Code::InvalidToken)),
        (json!({"aud": {"x": AUDIENCE}}), Err(Code::InvalidToken)),
        (json!({"sub": "-"}), Err(Code::InvalidToken)),
        (json!({"sub": ""}), Err(Code::InvalidToken)),
        (json!({"sub": 7}), Err(Code::InvalidToken)),
        (json!({"jti": 7}), Err(Code::InvalidToken)),
        (json!({"email": 7}), Err(Code::InvalidToken)),
        (json!({"email": null}), Ok(())),
    ] {
        let found = verify(&guards, &key.token(&claims_with(&changes)))
            .await
            .map(drop);
        assert_eq!(found, outcome, "{changes}");
    }
}

/// R45.
#[tokio::test]
async fn r45_leeway_counts_on_both_sides_and_is_bounded() {
    let key = Key::new("k1");
    let guards = router(expected().leeway(Duration::from_secs(30)), &key);
    let now = START.as_secs();
    for (changes, counts) in [
        (json!({"exp": now - 29}), true),
        (json!({"exp": now - 30}), false),
        (json!({"iat": now + 30}), true),
        (json!({"iat": now + 31}), false),
        (json!({"nbf": now + 30}), true),
        (json!({"nbf": now + 31}), false),
    ] {
        assert_eq!(
            verify(&guards, &key.token(&claims_with(&changes)))
                .await
                .is_ok(),
            counts,
            "{changes}"
        );
    }
    let error = builder()
        .0
        .guard(
            "a",
            fixed(expected().leeway(Duration::from_secs(121)), &[&key]),
        )
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("120 s"), "{error}");
}

/// R49, R50, R55: each kind of token counts where it was asked for, and nowhere else.
#[tokio::test]
async fn r49_r55_an_id_token_is_no_access_token() {
    let key = Key::new("k1");
    let id = json!({"nonce": "n"});
    let hashed = json!({"at_hash": "h"});
    let cases = [
        ("at+jwt", json!({}), [true, true, false]),
        ("JWT", json!({}), [false, true, true]),
        ("-", json!({}), [false, true, true]),
        ("JWT", id.clone(), [false, false, true]),
        ("-", hashed.clone(), [false, false, true]),
        ("JWT", json!({"c_hash": "h"}), [false, false, true]),
        // Keycloak before 25 writes a nonce into access tokens; a hash is an ID token's alone.
        ("at+jwt", id, [true, true, false]),
        ("at+jwt", hashed, [false, false, false]),
        ("rt+jwt", json!({}), [false, false, false]),
        ("logout+jwt", json!({}), [false, false, false]),
    ];
    for (typ, changes, counts) in cases {
        let mut header = key.header();
        match typ {
            "-" => drop(header.as_object_mut().unwrap().remove("typ")),
            typ => header["typ"] = json!(typ),
        }
        let token = key.sign(&header.to_string(), &claims_with(&changes).to_string());
        for (kind, counts) in [
            TokenKind::AccessToken,
            TokenKind::LooseAccessToken,
            TokenKind::IdToken,
        ]
        .into_iter()
        .zip(counts)
        {
            let found = verify(&router(expected().accept(kind), &key), &token).await;
            assert_eq!(found.is_ok(), counts, "{typ} {changes} as {kind:?}");
        }
    }
}

/// OpenID Connect Core section 3.1.3.7: `azp` is ours where it is there, and is there where the
/// token is for several.
#[tokio::test]
async fn an_id_token_was_issued_to_the_client_that_is_expected() {
    let key = Key::new("k1");
    let guards = router(expected().accept(TokenKind::IdToken), &key);
    for (changes, counts) in [
        (json!({"azp": AUDIENCE}), true),
        (json!({"azp": "other"}), false),
        (json!({"azp": ""}), false),
        (json!({"aud": [AUDIENCE]}), true),
        (json!({"aud": [AUDIENCE, "other"]}), false),
        (json!({"aud": [AUDIENCE, "other"], "azp": AUDIENCE}), true),
        (json!({"aud": [AUDIENCE, "other"], "azp": "other"}), false),
    ] {
        let token = key.sign(
            &json!({"alg": "EdDSA", "kid": "k1"}).to_string(),
            &claims_with(&changes).to_string(),
        );
        assert_eq!(verify(&guards, &token).await.is_ok(), counts, "{changes}");
    }
}

/// R46: a key counts for the tokens of its own issuer, even where both issuers are trusted.
#[tokio::test]
async fn r46_the_issuer_alone_says_which_guard_judges() {
    let (a, b) = (Key::new("k"), Key::new("k"));
    let other = Issuer::new("https://other.example")
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDSA]);
    let guards = builder()
        .0
        .guard("a", fixed(expected(), &[&a]))
        .guard("b", fixed(other, &[&b]))
        .build()
        .unwrap();
    let of_b = claims_with(&json!({"iss": "https://other.example"}));
    assert_eq!(
        verify(&guards, &a.token(&claims()))
            .await
            .unwrap()
            .token()
            .guard(),
        Some("a")
    );
    assert_eq!(
        verify(&guards, &b.token(&of_b))
            .await
            .unwrap()
            .token()
            .guard(),
        Some("b")
    );
    assert_eq!(
        verify(&guards, &b.token(&claims())).await.unwrap_err(),
        Code::InvalidToken
    );
    assert_eq!(
        verify(&guards, &a.token(&of_b)).await.unwrap_err(),
        Code::InvalidToken
    );
    assert_eq!(
        verify(
            &guards,
            &a.token(&claims_with(&json!({"iss": "https://third.example"})))
        )
        .await
        .unwrap_err(),
        Code::InvalidToken
    );

    // By name, that guard alone is asked; also for a token that was seen before.
    let by = async |name: &str, token: &str| {
        guards
            .verify_by(name, token, &Context::none())
            .await
            .map_err(|refusal| refusal.code())
    };
    assert!(by("b", &b.token(&of_b)).await.is_ok());
    assert_eq!(
        by("a", &b.token(&of_b)).await.unwrap_err(),
        Code::InvalidToken
    );
    assert_eq!(
        by("c", &b.token(&of_b)).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(by("a", &a.token(&claims())).await.is_ok());
    assert_eq!(guards.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        guards.issuers().collect::<Vec<_>>(),
        [ISSUER, "https://other.example"]
    );
}

/// R24: no key is no acceptance; new keys count at once, old ones no longer, also for tokens that
/// were seen before.
#[tokio::test]
async fn r24_the_owner_sets_the_keys() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let guard = StaticGuard::<Partner>::new(expected());
    let guards = builder().0.guard("partner", guard.clone()).build().unwrap();
    let (by_old, by_new) = (old.token(&claims()), new.token(&claims()));
    assert_eq!(
        verify(&guards, &by_old).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(!guards.health()[0].is_well);
    guard.set_public_keys([old.public()]).unwrap();
    assert!(verify(&guards, &by_old).await.is_ok());
    assert!(guards.health()[0].is_well);
    guard.set_public_keys([old.public(), new.public()]).unwrap();
    assert!(verify(&guards, &by_old).await.is_ok() && verify(&guards, &by_new).await.is_ok());
    guard.set_public_keys([new.public()]).unwrap();
    assert_eq!(
        verify(&guards, &by_old).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(verify(&guards, &by_new).await.is_ok());
    // A set that cannot be used replaces nothing.
    guard
        .set_public_keys([old.public(), new.public().with_kid("old")])
        .unwrap_err();
    assert!(verify(&guards, &by_new).await.is_ok());
    guard.set_public_keys([]).unwrap();
    assert_eq!(
        verify(&guards, &by_new).await.unwrap_err(),
        Code::InvalidToken
    );
}

#[tokio::test]
async fn a_key_without_a_name_counts_where_it_is_the_only_one() {
    let (key, other) = (Key::new("k"), Key::new("other"));
    let nameless = {
        let mut jwk = key.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        tollgate::keys::PublicKey::from_jwk(
            &serde_json::from_value(jwk).unwrap(),
            &[Algorithm::EdDSA],
        )
        .unwrap()
    };
    let unnamed = key.with_header(&json!({"kid": "-"}));
    for (keys, counts) in [
        (vec![nameless.clone()], [true, true]),
        (vec![key.public()], [true, true]),
        (vec![nameless, other.public()], [false, false]),
        (vec![key.public(), other.public()], [true, false]),
    ] {
        let guard = StaticGuard::<Partner>::new(expected());
        guard.set_public_keys(keys).unwrap();
        let guards = builder().0.guard("partner", guard).build().unwrap();
        for (token, counts) in [key.token(&claims()), unnamed.clone()].iter().zip(counts) {
            assert_eq!(verify(&guards, token).await.is_ok(), counts, "{token}");
        }
    }
}

#[test]
fn everything_that_is_wrong_with_a_router_is_told_at_once() {
    let key = Key::new("k");
    let nobody: Value = builder()
        .0
        .build()
        .map_or_else(|error| json!(error.to_string()), |_| json!(null));
    assert!(nobody.as_str().unwrap().contains("has no guard"));
    let wrong = Issuer::new("")
        .algorithms([Algorithm::HS256])
        .max_lifetime(Duration::ZERO);
    let error = builder()
        .0
        .guard("a", fixed(expected(), &[&key]))
        .guard("a", fixed(expected(), &[]))
        .guard("b", StaticGuard::<Partner>::new(wrong))
        .not(ISSUER)
        .build()
        .unwrap_err()
        .to_string();
    for words in [
        "two guards are called `a`",
        "both are for the issuer `https://partner.example/`",
        "whose tokens the gate itself verifies",
        "its issuer has no name",
        "has no audience",
        "accepts HMAC",
        "so that every token has expired",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let guards = GuardRouter::alone("partner", fixed::<Partner>(expected(), &[&key])).unwrap();
    assert_eq!(format!("{guards:?}"), r#"{"partner"}"#);
}
