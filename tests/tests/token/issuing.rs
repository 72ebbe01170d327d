//! The issued token: its claims, the order of members, the cap (R51 to R53).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::id::TokenId;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::token::{IssueError, Stamp, issue};

use crate::claims::UserClaims;
use crate::forge::{Forge, ISSUER, issue_from, stamp};

/// Returns the payload of a token.
pub(crate) fn payload(token: &str) -> String {
    String::from_utf8(
        URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).unwrap())
            .unwrap(),
    )
    .unwrap()
}

#[test]
fn r51_the_claims_of_rfc_9068_are_there_in_order() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let stamp = Stamp {
        acr: Some("mfa"),
        ..stamp()
    };
    let text = payload(&issue(&ring.set(), &stamp, &UserClaims::ada()).unwrap());
    let sub = UserClaims::ada().id;
    assert_eq!(
        text,
        format!(
            r#"{{"iss":"{ISSUER}","sub":"{sub}","aud":"https://api.example.com","client_id":"first-party","exp":1800000600,"iat":1800000000,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg","gen":3,"uep":4,"auth_time":1799999995,"acr":"mfa","email":"ada@example.com","roles":["admin","editor","author"]}}"#
        )
    );
}

#[test]
fn a_token_without_a_session_has_neither_sid_nor_gen() {
    let ring = KeyRing::generate(Algorithm::HS256).unwrap();
    let stamp = Stamp {
        sid: None,
        generation: None,
        auth_time: None,
        ..stamp()
    };
    let claims: Value = serde_json::from_str(&payload(
        &issue(&ring.set(), &stamp, &UserClaims::ada()).unwrap(),
    ))
    .unwrap();
    for name in ["sid", "gen", "auth_time", "acr"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert_eq!(claims["uep"], 4);
}

#[test]
fn r52_ids_hold_128_random_bits() {
    let mut seen = std::collections::HashSet::new();
    let mut ones = [0u32; 128];
    for _ in 0..2000 {
        let id = TokenId::random().unwrap();
        for (bit, count) in ones.iter_mut().enumerate() {
            *count += u32::from(id.as_bytes()[bit / 8] >> (bit % 8) & 1);
        }
        assert!(seen.insert(id));
    }
    // No bit is fixed, as six are in a version 4 UUID: 2000 throws stay within eight standard
    // deviations.
    assert!(
        ones.iter().all(|count| (820..1180).contains(count)),
        "{ones:?}"
    );
}

#[test]
fn r53_nothing_undeclared_is_issued_and_nothing_shows_in_debug() {
    let forge = Forge::new();
    let claims: Value = serde_json::from_str(&payload(&issue_from(&forge.ring))).unwrap();
    let names: Vec<&str> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "exp",
        "iat",
        "jti",
        "sid",
        "gen",
        "uep",
        "auth_time",
        "email",
        "roles",
    ]
    .to_vec();
    expected.sort_unstable();
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(sorted, expected);

    let shown = format!(
        "{:?} {:?} {:?}",
        forge.ring,
        forge.ring.set(),
        forge.assert_good(&forge.token())
    );
    assert!(!shown.contains("ada@example.com"), "{shown}");
    // The secrets are the bytes 0, 3, 6, … and 100, 101, …
    for secret in [
        "0, 3, 6", "100, 101", "00030609", "64656667", "AAMGCQ", "ZGVmZw",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_token_that_no_verifier_would_read_is_not_issued() {
    let forge = Forge::new();
    let of = |len: usize| UserClaims {
        email: "x".repeat(len),
        ..UserClaims::ada()
    };
    assert!(matches!(
        issue(&forge.ring.set(), &stamp(), &of(9000)),
        Err(IssueError::TooLong)
    ));
    let longest = (5000..6200)
        .rev()
        .find_map(|len| issue(&forge.ring.set(), &stamp(), &of(len)).ok())
        .unwrap();
    assert!(longest.len() > 8 * 1024 - 4, "{}", longest.len());
    forge.assert_good(&longest);
}

#[test]
fn strings_that_json_escapes_survive() {
    let forge = Forge::new();
    let claims = UserClaims {
        email: "quote \" backslash \\ newline \n nul \0 emoji 🦀 é".into(),
        extra: Some(json!({"deep": [1, 2.5, {"x": null}]})),
        ..UserClaims::ada()
    };
    let token = issue(&forge.ring.set(), &stamp(), &claims).unwrap();
    assert_eq!(forge.assert_good(&token).into_claims(), claims);
}
