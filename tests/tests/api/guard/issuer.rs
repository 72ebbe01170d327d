//! An issuer of the test's own: keys of every kind, tokens of every kind, and a server that can be
//! as hostile as a test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{rsa::KeySize, signature::RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tollgate::clock::{Clock, Timestamp};
use tollgate::guard::{Context, GuardRouter, GuardRouterBuilder, Issuer, StaticGuard};
use tollgate::keys::{Algorithm, PublicKey};
use tollgate::prelude::*;
use tollgate::token::Verified;

pub(crate) const ISSUER: &str = "https://partner.example/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const START: Timestamp = tollgate::testing::START;

/// The claims of the issuer's tokens.
#[derive(Clone, JwtClaims)]
#[claims(external)]
pub(crate) struct Partner {
    #[claim(sub)]
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    #[claim(roles, default)]
    pub(crate) roles: Vec<String>,
    #[claim(scope, default)]
    pub(crate) scope: Vec<String>,
}

/// A private key, and what is published of it.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pair: Arc<Pair>,
}

enum Pair {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        Self::of(kid, Algorithm::EdDSA)
    }

    pub(crate) fn of(kid: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::EdDSA => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            Algorithm::ES256 => {
                Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            Algorithm::ES384 => {
                Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
            }
            Algorithm::RS256 => Pair::Rsa(
                RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
                &RSA_PKCS1_SHA256,
            ),
            Algorithm::PS256 => Pair::Rsa(
                RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
                &RSA_PSS_SHA256,
            ),
            other => panic!("{other:?}"),
        };
        Self {
            kid: kid.into(),
            algorithm,
            pair: Arc::new(pair),
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &*self.pair {
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
            Pair::Ec(pair) => {
                let (x, y) =
                    pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({"kty": "EC", "crv": if x.len() == 32 { "P-256" } else { "P-384" }, "x": text(x), "y": text(y)})
            }
            Pair::Rsa(pair, _) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                json!({"kty": "RSA", "n": text(n.big_endian_without_leading_zero()), "e": text(e.big_endian_without_leading_zero())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(format!("{:?}", self.algorithm));
        jwk["use"] = json!("sig");
        jwk
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_jwk(
            &serde_json::from_value(self.jwk()).unwrap(),
            &[self.algorithm],
        )
        .unwrap()
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "typ": "at+jwt", "kid": self.kid})
    }

    /// Signs texts, whatever they are.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = match &*self.pair {
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Pair::Ec(pair) => pair
                .sign(&SystemRandom::new(), message.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    *encoding,
                    &SystemRandom::new(),
                    message.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// The same with another header.
    pub(crate) fn with_header(&self, changes: &Value) -> String {
        let mut header = self.header();
        merge(&mut header, changes);
        self.sign(&header.to_string(), &claims().to_string())
    }
}

/// Good claims.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "p-7", "aud": AUDIENCE, "exp": START.as_secs() + 600, "iat": START.as_secs(), "jti": "one",
        "email": "p@partner.example", "roles": ["buyer"], "scope": "read write",
    })
}

/// Good claims but for these.
pub(crate) fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    merge(&mut claims, changes);
    claims
}

/// Sets members, and removes those that are `"-"`.
fn merge(into: &mut Value, changes: &Value) {
    let into = into.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value == "-" {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

/// Returns what the gate expects of the issuer's tokens.
pub(crate) fn expected() -> Issuer {
    Issuer::new(ISSUER)
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDSA])
}

/// A guard that has this key.
pub(crate) fn fixed<U: tollgate::token::JwtClaims>(
    issuer: Issuer,
    keys: &[&Key],
) -> StaticGuard<U> {
    let guard = StaticGuard::new(issuer);
    guard
        .set_public_keys(keys.iter().map(|key| key.public()))
        .unwrap();
    guard
}

/// A builder whose clock stands at the start.
pub(crate) fn builder() -> (GuardRouterBuilder<Partner>, Clock) {
    let clock = Clock::manual(START);
    (GuardRouter::builder().clock(clock.clone()), clock)
}

/// A router with one guard that has this key.
pub(crate) fn router(issuer: Issuer, key: &Key) -> GuardRouter<Partner> {
    builder()
        .0
        .guard("partner", fixed(issuer, &[key]))
        .build()
        .unwrap()
}

/// Verifies without a context.
pub(crate) async fn verify(
    guards: &GuardRouter<Partner>,
    token: &str,
) -> Result<Verified<PartnerClaims>, Code> {
    guards
        .verify(token, &Context::none())
        .await
        .map_err(|refusal| refusal.code())
}

/// A server of an issuer: says what the test has it say, and counts how often it was asked for
/// what.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
    reply: Arc<Mutex<Reply>>,
    task: AbortHandle,
}

/// The answer of a server to a path.
type Reply = Arc<dyn Fn(&str) -> Said + Send + Sync>;

/// An answer.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
    /// True where the answer has a `content-length`.
    pub(crate) has_length: bool,
}

impl Said {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            headers: Vec::new(),
            body: body.into(),
            after: Duration::ZERO,
            has_length: true,
        }
    }

    pub(crate) fn keys(keys: &[&Key]) -> Self {
        Self::ok(jwks(keys))
    }

    pub(crate) fn header(mut self, header: &str) -> Self {
        self.headers.push(header.into());
        self
    }
}

/// A key set.
pub(crate) fn jwks(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

impl Server {
    pub(crate) async fn start(reply: impl Fn(&str) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(AtomicUsize::new(0));
        let reply: Arc<Mutex<Reply>> = Arc::new(Mutex::new(Arc::new(reply)));
        let (seen, connections, replies) =
            (Arc::clone(&asked), Arc::clone(&open), Arc::clone(&reply));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, replies) = (Arc::clone(&seen), Arc::clone(&replies));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    seen.lock().unwrap().push(head);
                    let reply = Arc::clone(&replies.lock().unwrap());
                    let said = reply(&path);
                    tokio::time::sleep(said.after).await;
                    let mut answer = format!("HTTP/1.1 {}\r\nconnection: close\r\n", said.status);
                    for header in &said.headers {
                        answer += &format!("{header}\r\n");
                    }
                    if said.has_length {
                        answer += &format!("content-length: {}\r\n", said.body.len());
                    }
                    let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
                    let _ = stream.write_all(&said.body).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self {
            address,
            asked,
            open,
            reply,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn says(&self, reply: impl Fn(&str) -> Said + Send + Sync + 'static) {
        *self.reply.lock().unwrap() = Arc::new(reply);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the number of requests.
    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Returns the number of connections, with a request or without.
    pub(crate) fn connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
