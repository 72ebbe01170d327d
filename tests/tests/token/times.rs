//! Times in a token: R41 to R45.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate::clock::Timestamp;
use tollgate::token::VerifyError;

use crate::forge::{Forge, NOW};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// CVE-2026-25537: a claim of the wrong type must not count as absent.
#[test]
fn r41_times_are_integers_or_the_token_is_refused() {
    let forge = Forge::new();
    for name in ["exp", "iat"] {
        forge.assert_invalid(&forge.with_payload(|claims| drop(claims.remove(name))));
    }
    for name in ["exp", "nbf", "iat", "auth_time"] {
        let strange = [
            Value::Null,
            json!((NOW + 600).to_string()),
            json!([NOW]),
            json!({}),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(NOW as f64),
            json!(i64::MIN),
        ];
        for value in strange {
            forge.assert_invalid(
                &forge.with_payload(|claims| drop(claims.insert(name.into(), value))),
            );
        }
        for raw in [
            "1e400",
            "-1e400",
            "NaN",
            "Infinity",
            "1e3",
            "1800000000.0",
            "18446744073709551616",
            "0x10",
            "007",
            "-0",
        ] {
            let payload = Value::Object(forge.payload()).to_string();
            let mut claims = forge.payload();
            claims.remove(name);
            let payload = if claims.len() == forge.payload().len() {
                payload
            } else {
                Value::Object(claims).to_string()
            };
            forge.assert_invalid(&forge.with_payload_text(&format!(
                "{},\"{name}\":{raw}}}",
                &payload[..payload.len() - 1]
            )));
        }
    }
}

#[test]
fn r42_a_token_is_out_at_exp() {
    let forge = Forge::new();
    let token = forge.token();
    assert!(
        forge
            .verify_at(&token, at(NOW + 600).minus(Duration::from_millis(1)))
            .is_ok()
    );
    for late in [NOW + 600, NOW + 601, NOW * 2, u64::MAX] {
        assert_eq!(
            forge.verify_at(&token, at(late)).err(),
            Some(VerifyError::Expired),
            "{late}"
        );
    }
}

/// `token_expired` is said only of a token that is right in everything else.
#[test]
fn r42_expired_is_said_only_after_everything_else_held() {
    let forge = Forge::new();
    let late = at(NOW + 601);
    let old = |change: fn(&mut serde_json::Map<String, Value>)| forge.with_payload(change);
    let (signed, signature) = forge
        .token()
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for token in [
        format!("{signed}.{flipped}{}", &signature[1..]),
        old(|claims| drop(claims.insert("aud".into(), json!("https://elsewhere.example")))),
        old(|claims| drop(claims.insert("iss".into(), json!("https://elsewhere.example")))),
        old(|claims| drop(claims.insert("nbf".into(), json!(NOW + 9000)))),
        old(|claims| drop(claims.insert("sub".into(), json!("")))),
    ] {
        assert_eq!(
            forge.verify_at(&token, late).err(),
            Some(VerifyError::Invalid),
            "{token}"
        );
    }
    let mut lenient = Forge::new();
    lenient.expect.allow_expired = true;
    assert!(lenient.verify_at(&forge.token(), at(u64::MAX)).is_ok());
    assert!(
        lenient
            .verify_at(
                &old(|claims| drop(claims.insert("nbf".into(), json!(NOW + 9000)))),
                late
            )
            .is_err()
    );
}

#[test]
fn r43_r44_the_future_is_refused() {
    let forge = Forge::new();
    for name in ["nbf", "iat"] {
        let of =
            |secs: u64| forge.with_payload(|claims| drop(claims.insert(name.into(), json!(secs))));
        forge.assert_good(&of(NOW));
        forge.assert_invalid(&of(NOW + 1));
        forge.assert_invalid(&of(u64::MAX));
    }
}

#[test]
fn r44_a_life_longer_than_any_issued_is_refused() {
    let forge = Forge::new();
    let of = |iat: u64, exp: u64| {
        forge.with_payload(|claims| {
            claims.insert("iat".into(), json!(iat));
            claims.insert("exp".into(), json!(exp));
        })
    };
    forge.assert_good(&of(NOW, NOW + 600));
    forge.assert_invalid(&of(NOW, NOW + 601));
    forge.assert_invalid(&of(0, NOW + 600));
    forge.assert_invalid(&of(NOW, u64::MAX));
    forge.assert_invalid(&of(0, u64::MAX));
    assert_eq!(
        forge.verify(&of(NOW, 0)).err(),
        Some(VerifyError::Expired),
        "exp before iat is out, never a wrap"
    );
}

#[test]
fn r45_leeway_is_bounded_and_nothing_wraps() {
    let mut forge = Forge::new();
    let (token, early) = (
        forge.token(),
        forge.with_payload(|claims| drop(claims.insert("nbf".into(), json!(NOW + 120)))),
    );
    forge.expect.leeway = Duration::from_secs(30);
    assert!(forge.verify_at(&token, at(NOW + 629)).is_ok());
    assert_eq!(
        forge.verify_at(&token, at(NOW + 630)).err(),
        Some(VerifyError::Expired)
    );
    assert!(forge.verify_at(&token, at(NOW - 30)).is_ok());
    assert!(forge.verify_at(&token, at(NOW - 31)).is_err());

    forge.expect.leeway = Duration::MAX;
    assert!(
        forge.verify_at(&token, at(NOW + 719)).is_ok(),
        "120 s at most count"
    );
    assert!(forge.verify_at(&token, at(NOW + 720)).is_err());
    assert!(forge.verify_at(&early, at(NOW)).is_ok());
    assert!(forge.verify_at(&early, at(NOW - 1)).is_err());

    forge.expect.max_lifetime = Duration::MAX;
    let extremes = [
        0,
        1,
        NOW,
        u64::from(u32::MAX),
        i64::MAX as u64 / 1000,
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ];
    for exp in extremes {
        for iat in extremes {
            for now in extremes {
                let token = forge.with_payload(|claims| {
                    claims.insert("exp".into(), json!(exp));
                    claims.insert("iat".into(), json!(iat));
                    claims.insert("nbf".into(), json!(iat));
                    claims.insert("auth_time".into(), json!(exp));
                });
                let good = forge.verify_at(&token, at(now)).is_ok();
                let (now, exp, iat) = (
                    at(now).as_millis(),
                    at(exp).as_millis(),
                    at(iat).as_millis(),
                );
                let max = i64::MAX as u64;
                assert_eq!(
                    good,
                    now < (exp + 120_000).min(max) && iat <= (now + 120_000).min(max),
                    "{exp} {iat} {now}"
                );
            }
        }
    }
}
