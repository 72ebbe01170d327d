//! Every issuer against every verifier under every algorithm: tollgate, PyJWT, jwcrypto, jose and
//! jsonwebtoken.
//!
//! `cargo nextest run -p tollgate-tests --test token matrix --no-capture` prints the table.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use tollgate::clock::Timestamp;
use tollgate::error::Code;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::token::verify;
use tollgate_tests::Accounts;
use tollgate_tests::support::interop::{SCRIPTS, copied, node, python, skipped};

use crate::claims::UserClaims;
use crate::crypto::EVERY;
use crate::forge::{Forge, NOW, expect, issue_from};

const KEPT: &str = env!("CARGO_TARGET_TMPDIR");
const LIBRARIES: [&str; 5] = ["tollgate", "jsonwebtoken", "PyJWT", "jwcrypto", "jose"];

/// Runs a script that reads and writes JSON.
pub(crate) fn ask(command: &mut Command, work: &Value) -> Value {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(work.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The other libraries, with how to ask them.
struct Peers {
    python: std::path::PathBuf,
    script: std::path::PathBuf,
}

impl Peers {
    fn found() -> Option<Self> {
        match (python(Path::new(KEPT)), node(Path::new(KEPT))) {
            (Ok(python), Ok(node)) => {
                let script = copied(&Path::new(SCRIPTS).join("matrix.mjs"), &node);
                Some(Self { python, script })
            }
            (Err(why), _) | (_, Err(why)) => {
                skipped(&format!("the matrix of libraries: {why}"));
                None
            }
        }
    }

    fn ask(&self, library: &str, work: &Value) -> Value {
        match library {
            "jose" => ask(Command::new("node").arg(&self.script), work),
            python => ask(
                Command::new(&self.python)
                    .arg(Path::new(SCRIPTS).join("matrix.py"))
                    .arg(python),
                work,
            ),
        }
    }
}

/// The key that a token is signed and verified with.
#[derive(Clone)]
struct Key {
    algorithm: Algorithm,
    private: Value,
    /// The secret for HMAC.
    public: Value,
    pem: Option<String>,
    ring: KeyRing,
}

impl Key {
    fn read(algorithm: Algorithm, told: &Value) -> Self {
        let private = told["jwk"].clone();
        let set = json!({ "keys": [private] }).to_string();
        let ring = KeyRing::from_jwk_set(&set)
            .unwrap()
            .refresh_secret(Secret::from_bytes((100..132).collect()))
            .unwrap();
        let public = if told["public"].is_null() {
            private.clone()
        } else {
            told["public"].clone()
        };
        Self {
            algorithm,
            private,
            public,
            pem: told["pem"].as_str().map(str::to_owned),
            ring,
        }
    }

    fn secret(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(self.private["k"].as_str().unwrap())
            .unwrap()
    }

    fn kid(&self) -> String {
        self.private["kid"].as_str().unwrap().to_owned()
    }
}

/// A token of ours for this key, minted by jsonwebtoken.
fn mint(key: &Key, payload: &Map<String, Value>) -> String {
    let header = Header {
        typ: Some("at+jwt".into()),
        kid: Some(key.kid()),
        ..Header::new(key.algorithm.into())
    };
    let pem = key.pem.as_deref().unwrap_or_default().as_bytes();
    let encoding = match jsonwebtoken::Algorithm::from(key.algorithm).family() {
        AlgorithmFamily::Hmac => EncodingKey::from_secret(&key.secret()),
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(pem).unwrap(),
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem).unwrap(),
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(pem).unwrap(),
    };
    jsonwebtoken::encode(&header, payload, &encoding).unwrap()
}

fn jsonwebtoken_holds(key: &Key, token: &str) -> bool {
    let decoding = match jsonwebtoken::Algorithm::from(key.algorithm).family() {
        AlgorithmFamily::Hmac => DecodingKey::from_secret(&key.secret()),
        _ => DecodingKey::from_jwk(&serde_json::from_value(key.public.clone()).unwrap()).unwrap(),
    };
    let mut validation = Validation::new(key.algorithm.into());
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &decoding, &validation).is_ok()
}

/// A good token, the same with another signature, and the same by another key.
struct Case {
    issuer: &'static str,
    key: Key,
    token: String,
    holds: bool,
}

fn tampered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[7] ^= 1;
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// R18, R19, R28, R35.
#[test]
fn every_issuer_is_read_by_every_verifier_under_every_algorithm() {
    let Some(peers) = Peers::found() else { return };
    let told = ask(
        Command::new(&peers.python)
            .arg(Path::new(SCRIPTS).join("matrix.py"))
            .arg("keys"),
        &Value::Null,
    );
    let pairs: Vec<[Key; 2]> = EVERY
        .into_iter()
        .map(|algorithm| [0, 1].map(|at| Key::read(algorithm, &told[format!("{algorithm:?}")][at])))
        .collect();
    let payload = Forge::new().payload();
    let name = |key: &Key| format!("{:?}", key.algorithm);

    let mut cases = Vec::new();
    for issuer in LIBRARIES {
        let order = |key: &Key| {
            let header = json!({ "typ": "at+jwt", "kid": key.kid() });
            json!({ "alg": name(key), "key": key.private, "header": header, "payload": payload })
        };
        let tokens: Vec<String> = match issuer {
            "tollgate" => pairs.iter().map(|[key, _]| issue_from(&key.ring)).collect(),
            "jsonwebtoken" => pairs.iter().map(|[key, _]| mint(key, &payload)).collect(),
            peer => {
                let work =
                    json!({ "sign": pairs.iter().map(|[key, _]| order(key)).collect::<Vec<_>>() });
                serde_json::from_value(peers.ask(peer, &work)["signed"].clone()).unwrap()
            }
        };
        for ([key, other], token) in pairs.iter().zip(tokens) {
            cases.push(Case {
                issuer,
                key: key.clone(),
                token: tampered(&token),
                holds: false,
            });
            cases.push(Case {
                issuer,
                key: other.clone(),
                token: token.clone(),
                holds: false,
            });
            cases.push(Case {
                issuer,
                key: key.clone(),
                token,
                holds: true,
            });
        }
    }

    let mut right: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for verifier in LIBRARIES {
        let held: Vec<bool> = match verifier {
            "tollgate" => {
                let now = Timestamp::from_secs(NOW);
                let holds = |case: &Case| {
                    verify::<UserClaims>(&case.token, &case.key.ring.set(), &expect(), now).is_ok()
                };
                cases.iter().map(holds).collect()
            }
            "jsonwebtoken" => cases
                .iter()
                .map(|case| jsonwebtoken_holds(&case.key, &case.token))
                .collect(),
            peer => {
                let order = |case: &Case| json!({ "alg": name(&case.key), "key": case.key.public, "token": case.token });
                let work = json!({ "verify": cases.iter().map(order).collect::<Vec<_>>() });
                serde_json::from_value(peers.ask(peer, &work)["held"].clone()).unwrap()
            }
        };
        for (case, held) in cases.iter().zip(held) {
            if held == case.holds {
                *right.entry((case.issuer, verifier)).or_default() += 1;
            } else {
                wrong.push(format!(
                    "{} of {} by {verifier}: {held}",
                    name(&case.key),
                    case.issuer
                ));
            }
        }
    }

    println!(
        "of 12 algorithms: good tokens accepted, tampered ones and those of another key refused, \
         36 in all\n"
    );
    println!("| issuer \\ verifier | {} |", LIBRARIES.join(" | "));
    println!("|--|{}", "--:|".repeat(LIBRARIES.len()));
    for issuer in LIBRARIES {
        let cells: Vec<String> = LIBRARIES
            .iter()
            .map(|verifier| right[&(issuer, *verifier)].to_string())
            .collect();
        println!("| {issuer} | {} |", cells.join(" | "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(right.values().sum::<u32>(), 36 * 25);
}

/// R9, R14, R16: others read our encrypted tokens, we read theirs, and what they tamper with is
/// refused.
#[tokio::test]
async fn encrypted_tokens_are_read_both_ways_and_tampered_ones_are_not() {
    let Some(peers) = Peers::found() else { return };
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let (builder, _) = tollgate::testing::ready(Accounts::seeded().gate()).unwrap();
    let gate = builder
        .keys(ring.clone())
        .encrypt(Encrypted::A256Gcm)
        .build()
        .await
        .unwrap();
    let token = gate
        .issue(
            &gate.backend().user("ada@example.com"),
            Duration::from_secs(600),
        )
        .await
        .unwrap();
    let header: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap(),
    )
    .unwrap();
    let key = ring
        .set()
        .decryption_key(header["kid"].as_str().unwrap())
        .unwrap();
    let mut refused = 0;
    for peer in ["jwcrypto", "jose"] {
        let work = json!({ "jwe": { "k": URL_SAFE_NO_PAD.encode(key.expose()), "token": token } });
        let made = peers.ask(peer, &work)["jwe"].take();
        let inner = made["plain"].as_str().unwrap();
        let payload: Value = serde_json::from_slice(
            &URL_SAFE_NO_PAD
                .decode(inner.split('.').nth(1).unwrap())
                .unwrap(),
        )
        .unwrap();
        assert_eq!(payload["email"], "ada@example.com", "{peer} reads ours");
        gate.verify(made["good"].as_str().unwrap())
            .await
            .unwrap_or_else(|error| panic!("theirs, by {peer}: {error}"));
        for (what, bad) in made["bad"].as_object().unwrap() {
            let error = gate
                .verify(bad.as_str().unwrap())
                .await
                .map(drop)
                .unwrap_err();
            assert_eq!(error.code(), Code::InvalidToken, "{peer}, {what}");
            refused += 1;
        }
    }
    println!("jwcrypto and jose read ours, we read theirs, {refused} tampered ones refused");
    assert_eq!(refused, 21);
}
