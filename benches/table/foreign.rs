//! Tokens of another issuer against jsonwebtoken: verified for the first time, small and with many
//! groups (row 3).

use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};

use jsonwebtoken::{Header, Validation};
use serde::{Deserialize, Serialize};
use tollgate::clock::Clock;
use tollgate::guard::{Context, GuardRouter, Issuer, StaticGuard};
use tollgate::keys::{Algorithm, PublicKey};
use tollgate::prelude::*;
use tollgate_benches::server::{AUDIENCE, ISSUER};
use tollgate_benches::{Contestant, Table, interleave};

use super::verify::keys;

/// The claims of the tokens.
#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Customer {
    #[claim(sub)]
    id: String,
    email: String,
    groups: Vec<String>,
}

/// What a careful user of jsonwebtoken would write down.
#[derive(Clone, Serialize, Deserialize)]
struct PeerClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    jti: String,
    scope: String,
    email: String,
    groups: Vec<String>,
}

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table) {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        for groups in [3, 1000] {
            compare(table, algorithm, groups);
        }
    }
}

fn compare(table: &mut Table, algorithm: Algorithm, groups: usize) {
    let (ring, encoding, decoding) = keys(algorithm);
    let jwk = ring.jwks().keys.remove(0);
    let key = PublicKey::from_jwk(&jwk, &[algorithm]).expect("a key");
    let now = Clock::system().now().as_secs();
    let claims = PeerClaims {
        iss: ISSUER.into(),
        sub: "auth0|5f7c8ec7c33c6c004bbafe82".into(),
        aud: AUDIENCE.into(),
        exp: now + 3600,
        iat: now,
        jti: "k3JvQ2h0".into(),
        scope: "openid read:orders".into(),
        email: "ada@example.com".into(),
        groups: (0..groups)
            .map(|n| format!("{n:08x}-86f1-41af-91ab-2d7cd011db47"))
            .collect(),
    };
    let header = Header {
        typ: Some("at+jwt".into()),
        kid: key.kid().map(str::to_owned),
        ..Header::new(algorithm.into())
    };
    let token = jsonwebtoken::encode(&header, &claims, &encoding).expect("a token");

    let issuer = Issuer::new(ISSUER)
        .audience(AUDIENCE)
        .algorithms([algorithm])
        .max_bytes(64 * 1024);
    let guard = StaticGuard::<Customer>::new(issuer);
    guard.set_public_keys([key]).expect("keys");
    let guards = GuardRouter::builder()
        .guard("login", guard)
        .remember(0)
        .build()
        .expect("guards");
    let mut validation = Validation::new(algorithm.into());
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.leeway = 30;
    validation.validate_nbf = true;

    let measured = interleave(vec![
        Contestant::new("tollgate", || {
            now_or_never(guards.verify(&token, &Context::none())).expect("it verifies")
        }),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::decode::<PeerClaims>(&token, &decoding, &validation).expect("it verifies")
        }),
    ]);
    let what = format!(
        "{algorithm:?} token of another issuer, {} bytes",
        token.len()
    );
    table.row("3", &what, &measured[0], &measured[1], 1.0);
}

/// Returns what a future answers that never waits.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}
