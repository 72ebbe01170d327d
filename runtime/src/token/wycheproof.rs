//! Wycheproof's JWS vectors, through the stages that do not look at claims. Its tokens are no access tokens.

use jsonwebtoken::Algorithm;
use serde_json::Value;
use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};

use super::compact::{Compact, decode};
use super::json::is_strict;
use crate::keys::LiveKey;
use crate::secret::Secret;

/// Where we differ on purpose: vectors that Wycheproof calls valid and we refuse.
const REFUSED_ALL_THE_SAME: &[u64] = &[
    372, 373, // a `?` inside base64url (R1)
];

/// Vectors that Wycheproof calls invalid, although each is byte for byte another one that it calls valid.
const TWINS_OF_VALID_ONES: &[u64] = &[
    367, 370, // of 357
];

#[test]
fn wycheproof_hmac_vectors_hold() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in &set.test_groups {
        let Some(jwk) = group.private_key.as_ref().filter(|jwk| jwk["kty"] == "oct") else { continue };
        for test in &group.tests {
            let Some(Value::String(jws)) = &test.jws else { continue };
            let id = u64::try_from(test.tc_id).unwrap();
            let valid = !test.result.must_fail() && !REFUSED_ALL_THE_SAME.contains(&id) || TWINS_OF_VALID_ONES.contains(&id);
            assert_eq!(holds(jws, jwk), valid, "{id}: {}", test.comment);
            if valid { accepted += 1 } else { refused += 1 }
        }
    }
    assert_eq!((accepted, refused), (10, 30));
}

/// R19: a key of another type, or for another algorithm, never serves HS256.
#[test]
fn wycheproof_vectors_of_other_keys_are_no_macs() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let mut tried = 0;
    for group in &set.test_groups {
        let Some(jwk) = group.public_key.as_ref().or(group.private_key.as_ref()).filter(|jwk| jwk["kty"] != "oct") else {
            continue;
        };
        for test in &group.tests {
            if let Some(Value::String(jws)) = &test.jws {
                assert!(!holds(jws, jwk), "{}", test.tc_id);
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

fn holds(jws: &str, jwk: &Value) -> bool {
    try_holds(jws, jwk).is_some()
}

fn try_holds(jws: &str, jwk: &Value) -> Option<()> {
    let mut room = [[0; 8192]; 4];
    let [header, payload, signature, secret] = &mut room;
    let parts = Compact::split(jws)?;
    let header = std::str::from_utf8(decode(parts.header, header)?).ok()?;
    let members: Value = is_strict(header).then(|| serde_json::from_str(header).ok())??;
    let ours = jwk["alg"] == "HS256" && members["alg"] == "HS256" && members["kid"] == jwk["kid"];
    let secret = decode(jwk["k"].as_str().filter(|_| ours)?, secret)?;
    let key = LiveKey::new(Algorithm::HS256, &Secret::from_bytes(secret.to_vec())).ok()?;
    let signature = decode(parts.signature, signature)?;
    decode(parts.payload, payload)?;
    key.verify(parts.signed.as_bytes(), signature).then_some(())
}
