//! Attacks with and on keys: R18 to R40.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::clock::Timestamp;
use tollgate::error::ErrorKind;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::{Verified, VerifyError, verify};

use crate::claims::UserClaims;
use crate::forge::{Forge, NOW, expect, issue_from};

pub(crate) const EVERY: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

fn verify_by(ring: &KeyRing, token: &str) -> Result<Verified<UserClaims>, VerifyError> {
    verify(token, &ring.set(), &expect(), Timestamp::from_secs(NOW))
}

#[test]
fn every_available_algorithm_signs_and_verifies() {
    for algorithm in EVERY {
        let ring = KeyRing::generate(algorithm).unwrap();
        let token = issue_from(&ring);
        assert_eq!(
            verify_by(&ring, &token).unwrap().claims(),
            &UserClaims::ada(),
            "{algorithm:?}"
        );
        let foreign = KeyRing::generate(algorithm).unwrap();
        assert_eq!(
            verify_by(&foreign, &token).err(),
            Some(VerifyError::Invalid),
            "{algorithm:?}"
        );
    }
}

/// R18, R19: a foreign key under our kid, and our secret under another hash.
#[test]
fn r18_r19_a_key_has_one_algorithm_and_a_name_is_no_key() {
    let forge = Forge::new();
    let foreign = Forge::with_secret((0..64).map(|i| i * 3 + 1).collect());
    let payload = Value::Object(forge.payload()).to_string();
    forge.assert_invalid(&foreign.sign(&forge.header().to_string(), &payload));

    let secret: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, &secret);
    for alg in ["HS512", "HS256"] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": forge.kid()}).to_string();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(&payload)
        );
        let signature = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
        forge.assert_invalid(&format!("{signed}.{signature}"));
        forge.assert_invalid(&format!("{signed}.{}", &signature[..43]));
    }
}

/// CVE-2015-9235: the public key of an EdDSA ring as an HMAC secret.
#[test]
fn r20_the_published_key_signs_nothing() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let jwks = serde_json::to_value(ring.jwks()).unwrap();
    let jwk = &jwks["keys"][0];
    let x = jwk["x"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    for secret in [
        raw.clone(),
        x.as_bytes().to_vec(),
        jwk.to_string().into_bytes(),
    ] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        for alg in ["HS256", "EdDSA"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": jwk["kid"]}).to_string();
            let payload = Value::Object(Forge::new().payload()).to_string();
            let signed = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(payload)
            );
            let token = format!(
                "{signed}.{}",
                URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()))
            );
            assert_eq!(verify_by(&ring, &token).err(), Some(VerifyError::Invalid));
        }
    }
    let pem = format!(
        "\n-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD
            .encode([&hex("302a300506032b6570032100")[..], &raw].concat())
    );
    for text in [
        pem.clone(),
        format!("\u{feff}{pem}"),
        pem.replace('\n', "\r\n"),
        jwk.to_string(),
        jwks.to_string(),
    ] {
        let error = from_secret(text.as_bytes(), &(0..32).collect::<Vec<u8>>()).unwrap_err();
        assert!(
            error.to_string().contains("is a key or certificate in"),
            "{error}"
        );
        let error = from_secret(&(0..32).collect::<Vec<u8>>(), text.as_bytes()).unwrap_err();
        assert!(
            error.to_string().starts_with("the refresh secret"),
            "{error}"
        );
    }
}

/// R21, R23: whatever key a header brings along, or points to, is not looked at.
#[test]
fn r23_keys_in_headers_lead_nowhere() {
    let forge = Forge::new();
    let mine = Forge::with_secret((0..64).map(|i| i * 3 + 1).collect());
    let jwk = json!({"kty": "oct", "alg": "HS256", "kid": mine.kid(), "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"});
    let brought = [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ];
    for (name, value) in brought {
        for kid in [forge.kid(), mine.kid()] {
            let mut header = mine.header();
            header["kid"] = kid.into();
            header[name] = value.clone();
            forge.assert_invalid(&mine.sign(
                &header.to_string(),
                &Value::Object(forge.payload()).to_string(),
            ));
        }
        forge.assert_good(&forge.with_header(|header| drop(header.insert(name.into(), value))));
    }
}

#[test]
fn r25_r26_weak_secrets_do_not_start() {
    let good: Vec<u8> = (0..32).collect();
    for (secret, refresh, what) in [
        (&[][..], &good[..], "the signing secret has 0 bytes"),
        (&good[..31], &good, "the signing secret has 31 bytes"),
        (
            &[7; 32],
            &good,
            "the signing secret has only 1 different bytes",
        ),
        (
            &(50..82).collect::<Vec<u8>>(),
            &good[..31],
            "the refresh secret has 31 bytes",
        ),
        (
            &(50..82).collect::<Vec<u8>>(),
            &[7; 32],
            "the refresh secret has only 1 different bytes",
        ),
        (&good, &good, "must not be the same"),
    ] {
        let error = from_secret(secret, refresh).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.kind(), ErrorKind::Keys);
    }
    for (algorithm, len) in [(Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        let of = |len: u8| Secret::from_bytes((50..50 + len).collect());
        assert!(KeyRing::from_secret(algorithm, of(len - 1), of(32)).is_err());
        KeyRing::from_secret(algorithm, of(len), of(32)).unwrap();
    }
    assert!(
        KeyRing::from_secret(
            Algorithm::EdDSA,
            Secret::from_bytes(good.clone()),
            Secret::from_bytes(good)
        )
        .is_err()
    );
}

/// R30 at the token: S + L is the same number modulo the group's order, and another token.
#[test]
fn r30_a_malleated_signature_is_another_token_and_refused() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let token = issue_from(&ring);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0u16;
    for (s, l) in bytes[32..].iter_mut().zip(hex(
        "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    )) {
        carry += u16::from(*s) + u16::from(l);
        *s = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let malleated = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
    assert!(verify_by(&ring, &token).is_ok());
    assert_eq!(
        verify_by(&ring, &malleated).err(),
        Some(VerifyError::Invalid)
    );
    for forged in [[0u8; 64].to_vec(), [&[1][..], &[0; 63]].concat()] {
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(forged));
        assert_eq!(verify_by(&ring, &token).err(), Some(VerifyError::Invalid));
    }
}

#[test]
fn r34_a_strange_kid_names_no_key() {
    let forge = Forge::new();
    let kid = forge.kid();
    let strange = [
        json!("../../dev/null"),
        json!("' OR 1=1--"),
        json!("\u{0}"),
        json!(""),
        json!("x".repeat(500)),
        json!(1),
        Value::Null,
        json!([kid]),
        json!(format!("{kid}\u{0}")),
        json!(format!(" {kid}")),
        json!(kid.to_uppercase()),
    ];
    for value in strange {
        forge.assert_invalid(&forge.with_header(|header| drop(header.insert("kid".into(), value))));
    }
    forge.assert_invalid(&forge.with_header(|header| drop(header.remove("kid"))));
    // Escapes are another way to write the same string.
    let escaped: String = kid
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let header = forge.header().to_string().replace(&kid, &escaped);
    forge.assert_good(&forge.sign(&header, &Value::Object(forge.payload()).to_string()));
}

#[test]
fn r38_the_jwk_set_holds_public_members_only() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let jwks = serde_json::to_value(ring.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2, "the current key and the next");
    for key in keys {
        let mut names: Vec<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!(
            (&key["alg"], &key["use"], &key["kty"], &key["crv"]),
            (
                &json!("EdDSA"),
                &json!("sig"),
                &json!("OKP"),
                &json!("Ed25519")
            )
        );
    }
    for algorithm in [Algorithm::HS256, Algorithm::HS512] {
        let jwks = serde_json::to_value(KeyRing::generate(algorithm).unwrap().jwks()).unwrap();
        assert_eq!(jwks, json!({"keys": []}));
    }
    assert_eq!(
        serde_json::to_value(Forge::new().ring.jwks()).unwrap(),
        json!({"keys": []})
    );
}

/// R35: the kid in the header is the RFC 7638 thumbprint of the published key, and no thumbprint of
/// a secret.
#[test]
fn r35_the_kid_is_the_thumbprint_of_the_public_key() {
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    for jwk in serde_json::to_value(ring.jwks()).unwrap()["keys"]
        .as_array()
        .unwrap()
    {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, jwk["x"]);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
        assert_eq!(jwk["kid"], URL_SAFE_NO_PAD.encode(digest));
    }
    let header = issue_from(&ring)
        .split('.')
        .next()
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(
        header,
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": &**ring.set().signing().kid()})
    );
}

fn from_secret(secret: &[u8], refresh: &[u8]) -> Result<KeyRing, tollgate::error::Error> {
    KeyRing::from_secret(
        Algorithm::HS256,
        Secret::from_bytes(secret.to_vec()),
        Secret::from_bytes(refresh.to_vec()),
    )
}

fn hex(text: &str) -> Vec<u8> {
    Secret::parse(&format!("hex:{text}"))
        .unwrap()
        .expose()
        .to_vec()
}
