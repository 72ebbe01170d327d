//! Keys of other issuers: those that are read, those that are refused, and that none makes the
//! reader panic.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::ParsedPublicKey;
use serde_json::{Value, json};

use super::*;
use crate::keys::PublicKeySet;
use crate::keys::key::live::{LiveKey, generate};

/// Every algorithm whose keys have a public part.
fn asymmetric() -> impl Iterator<Item = Algorithm> {
    let all = Algorithm::ALL.iter().copied();
    all.filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
}

fn fresh(algorithm: Algorithm) -> (LiveKey, PublicKey) {
    let key = LiveKey::new(algorithm, &generate(algorithm).unwrap()).unwrap();
    let public = key.public().unwrap().clone().with_kid("it");
    (key, public)
}

fn read(jwk: &Value, allowed: &[Algorithm]) -> Result<PublicKey, KeyProblem> {
    PublicKey::from_jwk(&serde_json::from_value(jwk.clone()).unwrap(), allowed)
}

#[test]
fn a_jwk_and_a_pem_are_the_key_they_were_made_from() {
    for algorithm in asymmetric() {
        let (key, public) = fresh(algorithm);
        let jwk = serde_json::to_value(public.jwk()).unwrap();
        assert_eq!(
            (&jwk["use"], &jwk["kid"], &jwk["alg"]),
            (
                &json!("sig"),
                &json!("it"),
                &json!(format!("{algorithm:?}"))
            )
        );
        assert!(
            ["d", "p", "q", "dp", "dq", "qi", "k"]
                .iter()
                .all(|name| jwk.get(name).is_none()),
            "R38: {jwk}"
        );
        let again = read(&jwk, Algorithm::ALL).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(
            again.verify(b"message", signature.as_slice())
                && !again.verify(b"massage", signature.as_slice())
        );
        assert_eq!(
            (again.algorithm(), again.kid(), again.thumbprint()),
            (algorithm, Some("it"), public.thumbprint())
        );

        let der: PublicKeyX509Der<'_> = match &*public.point {
            Point::Ed25519(key) => {
                ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, key.bytes())
                    .unwrap()
                    .as_der()
                    .unwrap()
            }
            Point::Curve { parsed, .. } | Point::Rsa { parsed, .. } => parsed.as_der().unwrap(),
        };
        let body = base64_simd::STANDARD.encode_to_string(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        let from_pem = PublicKey::from_pem(pem.as_bytes(), algorithm).unwrap();
        assert!(
            from_pem.verify(b"message", signature.as_slice()),
            "{algorithm:?}"
        );
        assert_eq!(
            (from_pem.kid(), from_pem.thumbprint()),
            (None, public.thumbprint())
        );
        let private = pem.replace("PUBLIC", "PRIVATE");
        assert_eq!(
            PublicKey::from_pem(private.as_bytes(), algorithm).unwrap_err(),
            KeyProblem::Private
        );
        for other in asymmetric().filter(|other| other.family() != algorithm.family()) {
            assert_eq!(
                PublicKey::from_pem(pem.as_bytes(), other).unwrap_err(),
                KeyProblem::Malformed,
                "{algorithm:?} {other:?}"
            );
        }
    }
}

/// R21: the algorithm that a token names is not used.
#[test]
fn r21_without_alg_the_configuration_says_which() {
    let (_, public) = fresh(Algorithm::RS256);
    let mut jwk = serde_json::to_value(public.jwk()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    assert_eq!(
        read(&jwk, &[Algorithm::PS384, Algorithm::ES256])
            .unwrap()
            .algorithm(),
        Algorithm::PS384
    );
    assert_eq!(
        read(&jwk, &[Algorithm::RS256, Algorithm::PS256]).unwrap_err(),
        KeyProblem::Ambiguous
    );
    assert_eq!(
        read(&jwk, &[Algorithm::ES256]).unwrap_err(),
        KeyProblem::Unsupported
    );
    assert_eq!(read(&jwk, &[]).unwrap_err(), KeyProblem::Unsupported);
    jwk["alg"] = json!("RS512");
    assert_eq!(
        read(&jwk, &[Algorithm::RS256]).unwrap_err(),
        KeyProblem::Unsupported,
        "R18"
    );
}

/// R22, R29, R30, R33: each is returned as a value, without a panic.
#[test]
fn bad_jwks_are_refused_one_by_one() {
    let jwk = |algorithm| serde_json::to_value(fresh(algorithm).1.jwk()).unwrap();
    let (rsa, es256, es384, ed) = (
        jwk(Algorithm::RS256),
        jwk(Algorithm::ES256),
        jwk(Algorithm::ES384),
        jwk(Algorithm::EdDSA),
    );
    let but = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let long = |len: usize| json!(URL_SAFE_NO_PAD.encode_to_string(vec![9; len]));
    for (jwk, problem) in [
        (but(&rsa, "use", json!("enc")), KeyProblem::NotForSignatures),
        (
            but(&rsa, "key_ops", json!(["sign"])),
            KeyProblem::NotForSignatures,
        ),
        (
            but(&rsa, "key_ops", json!([])),
            KeyProblem::NotForSignatures,
        ),
        (but(&rsa, "e", json!("AQ")), KeyProblem::RsaExponent),
        (but(&rsa, "e", json!("AAAA")), KeyProblem::RsaExponent),
        (but(&rsa, "e", json!("")), KeyProblem::RsaExponent),
        (but(&rsa, "e", json!("AQ=B")), KeyProblem::Malformed),
        (but(&rsa, "n", json!("")), KeyProblem::Malformed),
        (but(&rsa, "n", long(255)), KeyProblem::RsaSize(2036)),
        (but(&rsa, "alg", json!("ES256")), KeyProblem::Unsupported),
        (but(&rsa, "alg", json!("RSA-OAEP")), KeyProblem::Unsupported),
        (but(&es256, "alg", json!("ES384")), KeyProblem::Unsupported),
        (but(&es256, "alg", json!("ES521")), KeyProblem::Unsupported),
        (
            but(&es256, "crv", json!("secp256k1")),
            KeyProblem::Unsupported,
        ),
        (
            but(&es256, "crv", json!("Ed25519")),
            KeyProblem::Unsupported,
        ),
        (but(&es256, "x", es256["y"].clone()), KeyProblem::Malformed),
        (but(&es256, "x", long(32)), KeyProblem::Malformed),
        (but(&es256, "x", long(31)), KeyProblem::Malformed),
        (but(&es256, "x", long(33)), KeyProblem::Malformed),
        (but(&es256, "y", json!("")), KeyProblem::Malformed),
        (but(&es384, "x", long(32)), KeyProblem::Malformed),
        (but(&ed, "crv", json!("Ed448")), KeyProblem::Unsupported),
        (but(&ed, "crv", json!("X25519")), KeyProblem::Unsupported),
        (but(&ed, "x", long(31)), KeyProblem::Malformed),
        (
            but(&ed, "x", json!(URL_SAFE_NO_PAD.encode_to_string([0; 32]))),
            KeyProblem::Malformed,
        ),
        (but(&ed, "kty", json!("AKP")), KeyProblem::Unsupported),
        (json!({"kty": "oct", "k": "AAAA"}), KeyProblem::Private),
        (json!({}), KeyProblem::Unsupported),
    ] {
        assert_eq!(read(&jwk, Algorithm::ALL).err(), Some(problem), "{jwk}");
    }
    assert!(
        read(
            &but(
                &rsa,
                "n",
                json!(format!("AA{}", rsa["n"].as_str().unwrap()))
            ),
            Algorithm::ALL
        )
        .is_err()
    );
    let zeros = [
        &[0; 3][..],
        &URL_SAFE_NO_PAD
            .decode_to_vec(rsa["n"].as_str().unwrap())
            .unwrap(),
    ]
    .concat();
    assert!(
        read(
            &but(&rsa, "n", json!(URL_SAFE_NO_PAD.encode_to_string(zeros))),
            Algorithm::ALL
        )
        .is_ok(),
        "leading zeros"
    );
}

/// R19, R24, R32, R33.
#[test]
fn one_bad_key_is_skipped_and_a_bad_set_refused() {
    let jwk = |algorithm, kid: &str| {
        let mut jwk = serde_json::to_value(fresh(algorithm).1.jwk()).unwrap();
        jwk["kid"] = json!(kid);
        jwk
    };
    let set = |keys: &[Value]| {
        PublicKeySet::from_json(json!({"keys": keys}).to_string().as_bytes(), Algorithm::ALL)
    };
    let (one, two) = (jwk(Algorithm::ES256, "one"), jwk(Algorithm::EdDSA, "two"));
    let (mut private, mut second) = (two.clone(), jwk(Algorithm::RS256, "rs"));
    private["kid"] = json!("given away");
    private["d"] = json!("AAAA");
    let first = second.clone();
    second["alg"] = json!("PS256");
    second["kid"] = json!("ps");
    let read = set(&[
        json!({"kty": "unheard of", "kid": "x"}),
        json!({"kty": "EC", "crv": "P-256", "x": 5, "kid": "y"}),
        json!("no key at all"),
        json!({"kty": "RSA", "kid": "z", "n": "AQAB", "e": "AQAB", "x5c": 7}),
        one.clone(),
        private,
        first,
        second,
        two.clone(),
    ])
    .unwrap();
    assert_eq!(
        read.keys()
            .iter()
            .map(|key| key.kid().unwrap())
            .collect::<Vec<_>>(),
        ["one", "rs", "two"]
    );
    assert_eq!(read.skipped().len(), 6);
    assert!(
        read.skipped()
            .contains(&(Some("ps".into()), KeyProblem::SecondAlgorithm))
    );
    assert!(
        read.skipped()
            .contains(&(Some("given away".into()), KeyProblem::Private))
    );
    assert!(read.find("one").is_some() && read.find("One").is_none() && read.find("").is_none());

    // RFC 7517 section 4.5: up to four of one `kid` and algorithm.
    let several = |count: usize| {
        let more = (0..count).map(|_| jwk(Algorithm::ES256, "one"));
        set(&more.collect::<Vec<_>>())
    };
    assert_eq!(several(4).unwrap().keys().len(), 4);
    let five = several(5).unwrap_err();
    assert!(
        five.to_string()
            .contains("more than 4 keys of one algorithm by the `kid` \"one\""),
        "{five}"
    );
    assert!(
        set(&[one.clone(), jwk(Algorithm::EdDSA, "one")]).is_ok(),
        "of two types"
    );
    let beside_a_secret = set(&[one.clone(), json!({"kty": "oct", "k": "AAAA"})]).unwrap();
    assert_eq!(beside_a_secret.keys().len(), 1);
    assert_eq!(beside_a_secret.skipped(), [(None, KeyProblem::Private)]);
    assert!(set(&[]).unwrap().keys().is_empty());
    assert!(
        set(&vec![json!({}); 65])
            .unwrap_err()
            .to_string()
            .contains("more than 64")
    );
    for text in ["", "[]", "{}", "null", r#"{"keys": {}}"#] {
        assert!(
            PublicKeySet::from_json(text.as_bytes(), Algorithm::ALL).is_err(),
            "{text}"
        );
    }
}
