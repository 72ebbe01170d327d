//! Wycheproof's JWS and JWK vectors, through the stages that do not read claims. Its tokens are not
//! access tokens.

use serde_json::Value;
use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};

use super::compact::{Compact, decode};
use super::json::is_strict;
use crate::keys::{Algorithm, Jwk, LiveKey, PublicKey, PublicKeySet};
use crate::secret::Secret;

/// Vectors that Wycheproof calls valid and this library refuses on purpose.
const REFUSED_ALL_THE_SAME: &[u64] = &[
    259, 264, 268, 272, 320, 325, // an empty payload, which is no claims set
    346, 350, // a key for PS256, a token of PS384: one key, one algorithm (R19)
    347, 351, // ES512 and its `ES521`: none of our algorithms
    372, 373, // a `?` inside base64url (R1)
];

/// Vectors that Wycheproof calls invalid, although each is byte for byte another one that it calls
/// valid.
const TWINS_OF_VALID_ONES: &[u64] = &[
    367, 370, // of 357
];

#[test]
fn wycheproof_signature_vectors_hold() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let (mut accepted, mut refused, mut wrong) = (0, 0, Vec::new());
    for group in &set.test_groups {
        let jwk = group
            .public_key
            .as_ref()
            .or(group.private_key.as_ref())
            .unwrap();
        for test in &group.tests {
            // The JSON serialization is not supported, and refused unread (R8).
            let jws = test
                .jws
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default();
            let id = u64::try_from(test.tc_id).unwrap();
            let valid = !test.result.must_fail() && !REFUSED_ALL_THE_SAME.contains(&id)
                || TWINS_OF_VALID_ONES.contains(&id);
            if try_holds(jws, jwk).is_some() != valid {
                wrong.push((id, valid, &test.comment));
            } else if valid {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!((accepted, refused), (36, 365));
}

/// R22, R27, R29, R32: sets of keys, of which some are bad. Secret keys are not accepted as public
/// ones.
#[test]
fn wycheproof_key_vectors_hold() {
    let set = TestSet::load(TestName::JsonWebKey).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in &set.test_groups {
        let Some(jwks) = &group.public_key else {
            continue;
        };
        for test in &group.tests {
            let jws = test.jws.as_ref().and_then(Value::as_str).unwrap();
            let holds = PublicKeySet::from_json(jwks.to_string().as_bytes(), Algorithm::ALL)
                .is_ok_and(|set| {
                    set.keys()
                        .iter()
                        .any(|key| is_verified_by(jws, key).is_some())
                });
            assert_eq!(
                holds,
                !test.result.must_fail(),
                "{}: {}",
                test.tc_id,
                test.comment
            );
            if holds { accepted += 1 } else { refused += 1 }
        }
    }
    assert_eq!((accepted, refused), (1, 10));
}

/// R20: a secret key in a set never verifies in the way of a public one, whatever else the set
/// contains.
#[test]
fn wycheproof_sets_of_secret_keys_give_no_public_ones() {
    let set = TestSet::load(TestName::JsonWebKey).unwrap();
    let secret = set
        .test_groups
        .iter()
        .filter(|group| group.public_key.is_none())
        .filter_map(|group| group.private_key.as_ref());
    let sets: Vec<_> = secret
        .map(|jwks| PublicKeySet::from_json(jwks.to_string().as_bytes(), Algorithm::ALL))
        .collect();
    assert!(
        sets.len() > 10
            && sets.iter().all(|set| {
                set.as_ref().is_ok_and(|set| {
                    // In one set there is a secret beside a public key, and only the public key is
                    // used.
                    let is_public = |key: &PublicKey| key.kid() == Some("kid-ec-sign");
                    set.keys().iter().all(is_public) && !set.skipped().is_empty()
                })
            }),
        "{sets:?}"
    );
}

/// R19: a key of another type, or for another algorithm, never serves HS256.
#[test]
fn wycheproof_vectors_of_other_keys_are_no_macs() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let mut tried = 0;
    for group in &set.test_groups {
        let Some(jwk) = group
            .public_key
            .as_ref()
            .or(group.private_key.as_ref())
            .filter(|jwk| jwk["kty"] != "oct")
        else {
            continue;
        };
        for test in &group.tests {
            if let Some(Value::String(jws)) = &test.jws {
                assert!(
                    try_holds(jws, &serde_json::json!({"kty": "oct", "alg": "HS256", "k": jwk["n"], "kid": jwk["kid"]}))
                        .is_none()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Verifies as a user of a set does: by `kid`, and by an `alg` that is the key's.
fn is_verified_by(jws: &str, key: &PublicKey) -> Option<()> {
    let mut buffers = [[0; 8192]; 2];
    let [header, signature] = &mut buffers;
    let parts = Compact::split(jws)?;
    let header: Value = serde_json::from_slice(decode(parts.header, header)?).ok()?;
    let is_named =
        header["alg"] == format!("{:?}", key.algorithm()) && header["kid"].as_str() == key.kid();
    (is_named && key.verify(parts.signed.as_bytes(), decode(parts.signature, signature)?))
        .then_some(())
}

fn try_holds(jws: &str, jwk: &Value) -> Option<()> {
    let mut buffers = [[0; 8192]; 4];
    let [header, payload, signature, secret] = &mut buffers;
    let parts = Compact::split(jws)?;
    let header = std::str::from_utf8(decode(parts.header, header)?).ok()?;
    let members: Value = is_strict(header).then(|| serde_json::from_str(header).ok())??;
    if members["alg"] != jwk["alg"] || members["kid"] != jwk["kid"] {
        return None;
    }
    let signature = decode(parts.signature, signature)?;
    decode(parts.payload, payload)?;
    let message = parts.signed.as_bytes();
    if jwk["kty"] == "oct" {
        let secret = decode(jwk["k"].as_str().filter(|_| jwk["alg"] == "HS256")?, secret)?;
        let key = LiveKey::new(Algorithm::HS256, &Secret::from_bytes(secret.to_vec())).ok()?;
        return key.verify(message, signature).then_some(());
    }
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    PublicKey::from_jwk(&jwk, Algorithm::ALL)
        .ok()?
        .verify(message, signature)
        .then_some(())
}
