//! Rings from PEM texts, JWK sets, the environment and secrets, and what of them is refused at
//! load.

use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tollgate::keys::{Algorithm, ConfiguredRing, KeyRing, KeyState, PublicKey};
use tollgate::prelude::*;
use tollgate::secret::Secret;
use tollgate::token::RefreshToken;
use tollgate_tests::support::interop::skipped;
use tollgate_tests::{Accounts, App};

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

fn refresh(from: u8) -> Secret {
    Secret::from_bytes((from..from + 32).collect())
}

/// A private key of this algorithm as PKCS #8.
fn private(algorithm: Algorithm) -> String {
    let der = match algorithm {
        Algorithm::EdDSA => Ed25519KeyPair::generate()
            .unwrap()
            .to_pkcs8v1()
            .unwrap()
            .as_ref()
            .to_vec(),
        Algorithm::ES256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .unwrap()
            .to_pkcs8v1()
            .unwrap()
            .as_ref()
            .to_vec(),
        _ => RsaKeyPair::generate(KeySize::Rsa2048)
            .unwrap()
            .as_der()
            .unwrap()
            .as_ref()
            .to_vec(),
    };
    pem("PRIVATE KEY", &der)
}

/// The public keys that a ring publishes.
fn published(ring: &KeyRing) -> Vec<PublicKey> {
    ring.jwks()
        .keys
        .iter()
        .map(|jwk| PublicKey::from_jwk(jwk, &[ring.set().algorithm()]).unwrap())
        .collect()
}

async fn gate(ring: KeyRing) -> Gate<Accounts> {
    App::builder().keys(&ring).build().await.gate
}

async fn token(gate: &Gate<Accounts>) -> String {
    gate.issue(
        &gate.backend().user("ada@example.com"),
        Duration::from_secs(60),
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn a_ring_from_pem_signs_and_goes_on_verifying_what_its_predecessor_signed() {
    for algorithm in [
        Algorithm::EdDSA,
        Algorithm::ES256,
        Algorithm::RS256,
        Algorithm::PS384,
    ] {
        let (old, new) = (private(algorithm), private(algorithm));
        let load = |text: &str| KeyRing::from_pem(algorithm, text.as_bytes()).unwrap();
        let before = load(&old).refresh_secret(refresh(0)).unwrap();
        let old_public = published(&before).remove(0);
        let new_public = published(&load(&new).refresh_secret(refresh(0)).unwrap()).remove(0);
        assert_eq!(old_public.kid(), Some(&*old_public.thumbprint()), "R35");

        let announced = load(&old)
            .next(new_public)
            .unwrap()
            .refresh_secret(refresh(0))
            .unwrap();
        let after = load(&new)
            .previous(old_public)
            .unwrap()
            .refresh_secret(refresh(100))
            .unwrap();
        let (announced, after) = (gate(announced).await, gate(after).await);
        after.verify(&token(&announced).await).await.unwrap();
        announced.verify(&token(&after).await).await.unwrap();
        assert_eq!(after.keys().jwks().keys.len(), 2);
        assert!(
            after
                .keys()
                .rotate()
                .await
                .unwrap_err()
                .to_string()
                .contains("configuration")
        );
        assert!(
            after
                .keys()
                .retire(&after.keys().current())
                .await
                .unwrap_err()
                .to_string()
                .contains("configuration")
        );

        let alone = gate(load(&new).refresh_secret(refresh(0)).unwrap()).await;
        assert!(
            alone.verify(&token(&announced).await).await.is_err(),
            "left out of the configuration"
        );
    }
}

/// RSA keys come in PKCS #1 too.
#[tokio::test]
async fn a_pkcs_1_key_is_read_and_weak_ones_are_refused() {
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).unwrap();
    let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    // PKCS #8 wraps PKCS #1 in the last of its members, an OCTET STRING (RFC 5208 section 5).
    let start = pkcs8
        .as_ref()
        .windows(4)
        .position(|w| w[0] == 0x04 && w[1] == 0x82)
        .unwrap()
        + 4;
    let ring = KeyRing::from_pem(
        Algorithm::RS512,
        pem("RSA PRIVATE KEY", &pkcs8.as_ref()[start..]).as_bytes(),
    )
    .unwrap();
    let ring = ring.refresh_secret(refresh(0)).unwrap();
    let n = serde_json::to_value(ring.jwks()).unwrap()["keys"][0]["n"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(URL_SAFE_NO_PAD.decode(n).unwrap().len(), 384);
    gate(ring).await;

    // R27: 1024 bits, made with OpenSSL for this test.
    let short = KeyRing::from_pem(Algorithm::RS256, SHORT.as_bytes()).unwrap_err();
    assert!(told(&short).contains("RS256"), "{}", told(&short));
    let public = pem("PUBLIC KEY", pair.public_key().as_ref());
    for (algorithm, text) in [
        (Algorithm::RS256, "no PEM at all".to_owned()),
        (Algorithm::RS256, public),
        (Algorithm::ES256, private(Algorithm::RS256)),
        (Algorithm::ES384, private(Algorithm::ES256)),
        (Algorithm::EdDSA, private(Algorithm::ES256)),
        (Algorithm::RS256, private(Algorithm::EdDSA)),
        (Algorithm::HS256, private(Algorithm::EdDSA)),
    ] {
        let error = KeyRing::from_pem(algorithm, text.as_bytes()).unwrap_err();
        assert!(
            told(&error).contains(&format!("{algorithm:?}")),
            "{}",
            told(&error)
        );
    }
}

fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(
        || error.to_string(),
        |source| format!("{error}: {}", told(source)),
    )
}

/// A private JWK set of a fresh EC key, with its `kid`.
fn jwk(kid: &str) -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = pair.public_key().as_ref();
    let d = aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&pair.private_key()).unwrap();
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid,
        "x": text(&point[1..33]), "y": text(&point[33..]), "d": text(d.as_ref()),
    })
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove("d");
    jwk
}

fn refused(json: &str) -> String {
    told(&KeyRing::from_jwk_set(json).map(drop).unwrap_err())
}

#[tokio::test]
async fn the_first_private_key_of_a_jwk_set_signs_and_the_others_verify() {
    let (one, two, three) = (jwk("one"), jwk("quote\"d"), jwk("three"));
    let ring = |keys: &[Value]| {
        KeyRing::from_jwk_set(&set(keys))
            .unwrap()
            .refresh_secret(refresh(0))
            .unwrap()
    };
    let ring_of_three = ring(&[public(&one), two.clone(), three.clone()]);
    let states: Vec<_> = ring_of_three
        .set()
        .verifying()
        .iter()
        .map(|key| (key.kid().to_string(), key.state()))
        .collect();
    let expected = [
        ("quote\"d", KeyState::Current),
        ("one", KeyState::Previous),
        ("three", KeyState::Previous),
    ];
    assert_eq!(states, expected.map(|(kid, state)| (kid.to_owned(), state)));
    let published = serde_json::to_value(ring_of_three.jwks()).unwrap();
    assert!(
        published["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key.get("d").is_none()),
        "R38"
    );

    let gate_of_three = gate(ring_of_three).await;
    for other in [
        ring(std::slice::from_ref(&one)),
        ring(&[two.clone(), one.clone()]),
        ring(std::slice::from_ref(&three)),
    ] {
        gate_of_three
            .verify(&token(&gate(other).await).await)
            .await
            .unwrap();
    }
    assert!(
        gate_of_three
            .verify(&token(&gate(ring(&[jwk("one")])).await).await)
            .await
            .is_err(),
        "R34: a name is no key"
    );
}

/// R19, R20, R22, R25, R32.
#[test]
fn r32_a_set_that_is_not_sound_as_a_whole_is_refused() {
    let (one, two) = (jwk("one"), jwk("two"));
    let but = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let secret = json!({ "kty": "oct", "alg": "HS256", "kid": "s", "k": URL_SAFE_NO_PAD.encode((0..32).collect::<Vec<u8>>()) });
    for (json, expected) in [
        ("{}".to_owned(), "no set of private JWKs"),
        (set(&[]), "no key that signs"),
        (set(&[public(&one)]), "no key that signs"),
        (set(&[one.clone(), one.clone()]), "already"),
        (
            set(&[one.clone(), but(&two, "kid", json!("one"))]),
            "already",
        ),
        (
            set(&[one.clone(), but(&public(&one), "kid", json!("again"))]),
            "already",
        ),
        (
            set(&[one.clone(), but(&two, "alg", json!("ES384"))]),
            "is not for ES256",
        ),
        (set(&[one.clone(), secret.clone()]), "is not for ES256"),
        (
            set(&[one.clone(), but(&public(&two), "use", json!("enc"))]),
            "`use` or `key_ops`",
        ),
        (
            set(&[one.clone(), but(&public(&two), "x", one["x"].clone())]),
            "no point of its curve",
        ),
        (set(&[but(&one, "d", two["d"].clone())]), "malformed"),
        (set(&[but(&one, "d", json!("!"))]), "malformed"),
        (set(&[but(&one, "crv", json!("P-384"))]), "is not for ES256"),
        (
            set(&[but(&one, "kid", json!("k".repeat(257)))]),
            "1 to 256 bytes",
        ),
        (set(&[but(&one, "kid", json!(""))]), "1 to 256 bytes"),
        (set(&[but(&secret, "k", json!("AAAA"))]), "at least 32"),
        (
            set(&[but(&secret, "k", json!(URL_SAFE_NO_PAD.encode([7; 32])))]),
            "different bytes",
        ),
        (
            set(&[but(
                &secret,
                "k",
                json!(URL_SAFE_NO_PAD.encode(private(Algorithm::EdDSA))),
            )]),
            "in PEM form",
        ),
        (
            set(&[secret.clone(), but(&secret, "kid", json!("t"))]),
            "same secret twice",
        ),
        (set(&[secret, one.clone()]), "is not for HS256"),
    ] {
        let told = refused(&json);
        assert!(told.contains(expected), "{told}, not {expected}: {json}");
        assert!(!told.contains(one["d"].as_str().unwrap()), "{told}");
    }
    let unnamed = {
        let mut jwk = one;
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    };
    assert!(refused(&set(&[unnamed])).contains("names no `alg`"));
}

/// R19: what is added must be of the ring's algorithm, and not be there.
#[test]
fn r19_a_ring_takes_no_key_for_another_algorithm_and_none_twice() {
    let of = |text: &str, algorithm| KeyRing::from_pem(algorithm, text.as_bytes()).unwrap();
    let text = private(Algorithm::RS256);
    let with =
        |algorithm| published(&of(&text, algorithm).refresh_secret(refresh(0)).unwrap()).remove(0);
    let error = of(&text, Algorithm::RS256)
        .previous(with(Algorithm::PS256).with_kid("x"))
        .unwrap_err();
    assert!(
        told(&error).contains("one key, one algorithm"),
        "{}",
        told(&error)
    );
    let error = of(&text, Algorithm::RS256)
        .next(with(Algorithm::RS256).with_kid("x"))
        .unwrap_err();
    assert!(told(&error).contains("already"), "{}", told(&error));
}

/// All nodes find the same number for a refresh secret, and its successor goes on accepting what it
/// made.
#[tokio::test]
async fn refresh_secrets_rotate_in_the_configuration() {
    let text = private(Algorithm::EdDSA);
    let load =
        || -> ConfiguredRing { KeyRing::from_pem(Algorithm::EdDSA, text.as_bytes()).unwrap() };
    let before = load().refresh_secret(refresh(0)).unwrap();
    let after = load()
        .previous_refresh_secret(refresh(0))
        .refresh_secret(refresh(100))
        .unwrap();
    let mint = |ring: &KeyRing| {
        RefreshToken::mint(
            &ring.set(),
            None,
            SessionId::from_bytes([1; 16]),
            7,
            &[2; 16],
        )
    };
    assert!(
        !RefreshToken::parse(&after.set(), None, mint(&before).expose())
            .unwrap()
            .retired
    );
    assert!(RefreshToken::parse(&before.set(), None, mint(&after).expose()).is_err());
    let sealed = before.set().seal(b"context", b"plain").unwrap();
    assert_eq!(
        after.set().open(b"context", &sealed).as_deref(),
        Some(&b"plain"[..])
    );
    assert_eq!(
        load()
            .refresh_secret(refresh(100))
            .unwrap()
            .set()
            .open(b"context", &sealed),
        None
    );

    let twice = load()
        .previous_refresh_secret(refresh(0))
        .refresh_secret(refresh(0))
        .unwrap_err();
    assert!(twice.to_string().contains("are the same"), "{twice}");
    for weak in [
        vec![7; 64],
        (0..31).collect::<Vec<u8>>(),
        private(Algorithm::EdDSA).into_bytes(),
    ] {
        assert!(
            load()
                .refresh_secret(Secret::from_bytes(weak.clone()))
                .is_err()
        );
        assert!(
            load()
                .previous_refresh_secret(Secret::from_bytes(weak))
                .refresh_secret(refresh(0))
                .is_err()
        );
    }
    let hmac: Vec<u8> = (0..32).collect();
    let same =
        json!({ "keys": [{ "kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(&hmac) }] })
            .to_string();
    let error = KeyRing::from_jwk_set(&same)
        .unwrap()
        .refresh_secret(Secret::from_bytes(hmac))
        .unwrap_err();
    assert!(
        error.to_string().contains("must not be the same"),
        "{error}"
    );
}

/// The environment belongs to the whole process, so the test starts itself with one of its own.
#[test]
fn a_ring_comes_from_the_environment_and_no_message_shows_it() {
    if std::env::var_os("RING_ALONE").is_some() {
        let loaded = KeyRing::from_env(Algorithm::ES256, "RING_JWKS").unwrap();
        loaded
            .refresh_secret(Secret::from_env("RING_REFRESH").unwrap())
            .unwrap();
        drop(KeyRing::from_env(Algorithm::EdDSA, "RING_PEM").unwrap());
        drop(KeyRing::from_env(Algorithm::EdDSA, "RING_ONE_LINE").unwrap());
        drop(KeyRing::from_env(Algorithm::EdDSA, "RING_BASE64").unwrap());
        drop(KeyRing::from_env(Algorithm::HS256, "RING_SECRET").unwrap());
        for (algorithm, name, expected) in [
            (Algorithm::EdDSA, "RING_NONE", "`RING_NONE` is not set"),
            (
                Algorithm::EdDSA,
                "RING_JWKS",
                "holds ES256 keys, and EdDSA was asked for",
            ),
            (Algorithm::ES256, "RING_PEM", "no private key for ES256"),
            (Algorithm::HS512, "RING_SECRET", "at least 64"),
            (
                Algorithm::EdDSA,
                "RING_SECRET",
                "a secret is no key for EdDSA",
            ),
            (Algorithm::HS256, "RING_ODD", "`base64:…` or `hex:…`"),
            (Algorithm::EdDSA, "RING_PATH", "it is the path of a file"),
        ] {
            let told = told(&KeyRing::from_env(algorithm, name).unwrap_err());
            assert!(told.contains(expected) && told.contains(name), "{told}");
            let value = std::env::var(name).unwrap_or_default();
            assert!(value.is_empty() || !told.contains(&value), "{told}");
        }
        assert!(
            Secret::from_env("RING_ODD")
                .unwrap_err()
                .to_string()
                .contains("`RING_ODD`")
        );
        return;
    }
    let name = "a_ring_comes_from_the_environment_and_no_message_shows_it";
    let run = tollgate_tests::process::alone(module_path!(), name)
        .env("RING_ALONE", "1")
        .env("RING_JWKS", set(&[jwk("one")]))
        .env("RING_PEM", private(Algorithm::EdDSA))
        .env(
            "RING_ONE_LINE",
            format!("\"{}\"", private(Algorithm::EdDSA).replace('\n', "\\n")),
        )
        .env("RING_BASE64", STANDARD.encode(private(Algorithm::EdDSA)))
        .env("RING_PATH", "/run/secrets/ring.pem")
        .env(
            "RING_SECRET",
            format!("base64:{}", STANDARD.encode((0..32).collect::<Vec<u8>>())),
        )
        .env(
            "RING_REFRESH",
            format!(
                "hex:{}",
                (100..132)
                    .map(|byte: u8| format!("{byte:02x}"))
                    .collect::<String>()
            ),
        )
        .env("RING_ODD", "hunter2hunter2")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && told.contains("1 passed"),
        "{told} {}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// A key as OpenSSL and OpenSSH write it, converted by their own commands.
fn made(script: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let run = std::process::Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    if !run.status.success() {
        skipped(&String::from_utf8_lossy(&run.stderr));
        return None;
    }
    Some(std::fs::read(folder.path().join("key")).unwrap())
}

/// Keys that the programs themselves make are read, also as an environment variable changes them.
#[test]
fn keys_of_openssl_are_read_in_each_form_that_is_unambiguous() {
    for (algorithm, script) in [
        (
            Algorithm::EdDSA,
            "openssl genpkey -algorithm ed25519 -out key",
        ),
        (
            Algorithm::ES256,
            "openssl ecparam -name prime256v1 -genkey -out key",
        ),
        (
            Algorithm::ES384,
            "openssl ecparam -name secp384r1 -genkey -noout -out key",
        ),
        (
            Algorithm::ES256,
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key",
        ),
        (
            Algorithm::RS256,
            "openssl genrsa -traditional -out key 2048",
        ),
        (Algorithm::PS256, "openssl genrsa -out key 2048"),
        (
            Algorithm::ES256,
            "ssh-keygen -q -t ecdsa -b 256 -N '' -f key; ssh-keygen -q -p -P '' -N '' -m PKCS8 -f key",
        ),
        (
            Algorithm::RS256,
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k -out c; cat c k >key",
        ),
    ] {
        let Some(pem) = made(script) else { continue };
        let text = String::from_utf8(pem).unwrap();
        let read = |text: &str| {
            let ring = KeyRing::from_pem(algorithm, text.as_bytes());
            let ring = ring.unwrap_or_else(|error| panic!("{script}: {error:?}"));
            published(&ring.refresh_secret(refresh(0)).unwrap())[0].thumbprint()
        };
        let plain = read(&text);
        for disguised in [
            text.replace('\n', "\\n"),
            format!("\"{}\"", text.replace('\n', "\\n")),
            text.replace('\n', " "),
            text.replace('\n', "\r\n"),
            STANDARD.encode(&text),
            format!("base64:{}", STANDARD.encode(&text)),
        ] {
            assert_eq!(read(&disguised), plain, "{script}: {disguised}");
        }
    }
}

/// A key in another form is named, with the command that converts it; none of it is shown.
#[test]
fn keys_in_other_forms_are_named_with_the_command_that_converts_them() {
    for (algorithm, script, named, command) in [
        (
            Algorithm::RS256,
            "openssl genrsa -aes256 -passout pass:x -out key 2048",
            "an encrypted private key",
            "openssl pkcs8 -topk8 -nocrypt",
        ),
        (
            Algorithm::RS256,
            "openssl genrsa -traditional -aes256 -passout pass:x -out key 2048",
            "an encrypted private key",
            "openssl pkcs8 -topk8 -nocrypt",
        ),
        (
            Algorithm::EdDSA,
            "ssh-keygen -q -t ed25519 -N '' -f key",
            "in OpenSSH form",
            "ssh-keygen -p -N '' -m PKCS8",
        ),
        (
            Algorithm::RS256,
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k -out key",
            "a certificate",
            "openssl pkcs12",
        ),
        (
            Algorithm::ES256,
            "openssl genpkey -algorithm ed25519 -outform DER -out key",
            "in DER form",
            "-inform DER",
        ),
        (
            Algorithm::EdDSA,
            "openssl genpkey -algorithm ed25519 -out k; openssl pkey -in k -pubout -out key",
            "a public key",
            "-----BEGIN PRIVATE KEY-----",
        ),
        (
            Algorithm::EdDSA,
            "openssl genpkey -algorithm ed25519 -outform DER -out k; base64 -w 0 k >key",
            "without the lines around it",
            "base64 -d key.txt",
        ),
    ] {
        let Some(key) = made(script) else { continue };
        let error = KeyRing::from_pem(algorithm, &key).unwrap_err().to_string();
        assert!(
            error.contains(named) && error.contains(command),
            "{script}: {error}"
        );
        // A text that somebody takes for a secret may be a key that others know.
        for secret in [
            key.clone(),
            STANDARD.encode(&key).into_bytes(),
            URL_SAFE_NO_PAD.encode(&key).into_bytes(),
        ] {
            let taken = KeyRing::from_secret(
                Algorithm::HS256,
                Secret::from_bytes(secret),
                Secret::from_bytes((0..32).collect()),
            );
            let error = taken.unwrap_err().to_string();
            assert!(
                error.contains("is a key or certificate in"),
                "{script}: {error}"
            );
        }
    }
}

/// 1024 bits of RSA, guarded by nobody.
const SHORT: &str = "\
-----BEGIN PRIVATE \
                     KEY-----\nMIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMepT+xpEIJjkiSa\\
                     napFKP+QRfP3AOioLlNHOCcZy+FJzUAQuIy0ESLW+JBgMTpz9wYSmmR/qADw8XNtG\\
                     njsi57PdRK8LvMJKU9RqaKolfEzH3OHrvsX1FN1l/Y/Mb8FA6KfhQg4EZXRQaRUkM\\
                     nNwrxsSrmUvMNsjjqW+umyV9sXUuHAgMBAAECgYAjjZyzxkmwTja52d1cHdKetBaD\\
                     nwPUag5Fugrfu5I4fcHUxKV4OKBMiecdHmPlurykEi/38VtjP4RfP3BKU37a4Slkw\\
                     n1WKbPbiMU35C22kKCy1RJIYlY9EovcdNpOTMd3G6yvNJMQk8a5w7ouh1wsnZ419s\\
                     nhHMX3DMhHtQhdv0WYQJBAP9MKswWUZ4yIVIZM9F9h7nr/rrHsWQ8ZhK47bhJL/cI\\
                     nyQ2b6v3DTlkH4ww0b5JyRZMi7DaK25vUoEAhVAFWLzkCQQDINfRjyK4GhEcnztvP\\
                     n7FOVzhRcxAYC+E5lmn5X4paVNkhMSrFYkzQTy3nv81MKqq1nVyn8UqkXW7MTAbcG\ngJC/\
                     AkEAyYNDnMhZMDd9maIPBuLBCX5AGQqa+PW71DdoXLhYRfQHTtitihRpeVkC\nXJXfI4dTZ6p/\
                     LSY55izVOQmVl2CB8QJBAMEMzYc95Rfhip8G5os5zGsBmD7OwSEx\n/\
                     p4X90WU9jAQdGwkBZdr8WY46G4HyQXbB3NC5/gmWGdug2CLYckCRQ8CQDYg7H1G\\
                     nqOVnPBAizFVrFFsEthjlxSOyywXLzq+Ox4rU+uDyrn5w3ofbre+K4O0fdY01BT8R\\
                     nfQtOeEVtzWwPEo0=\n-----END PRIVATE KEY-----\n";

/// A ring with these secrets that seal, the first of which is in use.
fn sealing(seals: &[u8], refresh_from: u8) -> Result<KeyRing, tollgate::error::Error> {
    let ring = KeyRing::from_pem(Algorithm::EdDSA, private(Algorithm::EdDSA).as_bytes())?;
    let ring = seals
        .iter()
        .fold(ring, |ring, from| ring.seal_secret(refresh(*from)));
    ring.refresh_secret(refresh(refresh_from))
}

#[test]
fn a_ring_seals_with_a_secret_of_the_configuration() {
    let seal = |ring: &KeyRing| ring.set().seal(b"context", b"plain").unwrap();
    let opens = |ring: &KeyRing, sealed: &[u8]| ring.set().open(b"context", sealed).is_some();
    let derived = sealing(&[], 1).unwrap();
    let (first, other) = (sealing(&[60], 1).unwrap(), sealing(&[60], 100).unwrap());
    let sealed = seal(&first);
    assert!(
        opens(&first, &sealed) && opens(&other, &sealed),
        "the secret alone decides"
    );
    assert!(!opens(&derived, &sealed));
    // What was sealed before stays readable: with the derived key, and with a former secret.
    assert!(opens(&first, &seal(&derived)));
    let second = sealing(&[130, 60], 1).unwrap();
    assert!(opens(&second, &sealed) && !opens(&first, &seal(&second)));
    assert!(!opens(&sealing(&[130], 1).unwrap(), &sealed));
}

#[test]
fn a_secret_that_seals_is_strong_and_its_own() {
    let refused = |ring: Result<KeyRing, tollgate::error::Error>, words: &str| {
        let error = ring.err().unwrap().to_string();
        assert!(error.contains(words), "{words}: {error}");
    };
    refused(
        sealing(&[1], 1),
        "another one than the signing secret and the refresh secret",
    );
    refused(sealing(&[60, 60], 1), "two seal secrets are the same");
    let weak = |bytes: Vec<u8>| {
        let ring = KeyRing::from_pem(Algorithm::EdDSA, private(Algorithm::EdDSA).as_bytes());
        let ring = ring.unwrap().seal_secret(Secret::from_bytes(bytes));
        ring.refresh_secret(refresh(1))
    };
    refused(weak((0..31).collect()), "the seal secret");
    refused(weak(vec![7; 32]), "the seal secret");
}
