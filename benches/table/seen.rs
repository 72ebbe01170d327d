//! Tokens that were verified before: one hot, 4 096 in turn, more than the cache holds, and a whole
//! request (rows 4, 4b and 7).

use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tollgate::prelude::*;
use tollgate_benches::claims::{Role, User};
use tollgate_benches::server::{AUDIENCE, Accounts, ISSUER, gate, gate_with_cache, ring, secret};
use tollgate_benches::{Contestant, Table, Target, interleave};
use uuid::Uuid;

use super::request::{bare, contestant, guarded, runtime};

/// The claims as a careful user of jsonwebtoken would write them.
#[derive(Deserialize)]
#[allow(dead_code, reason = "they are read, as ours are")]
struct PeerClaims {
    sub: Uuid,
    email: String,
    roles: Vec<Role>,
}

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table) {
    let runtime = runtime();
    for algorithm in [Algorithm::EdDSA, Algorithm::HS256] {
        let ring = ring(algorithm);
        let decoding = match algorithm {
            Algorithm::HS256 => DecodingKey::from_secret(&secret()),
            _ => {
                let jwk = ring
                    .jwks()
                    .find(ring.set().signing().kid())
                    .expect("a key")
                    .clone();
                DecodingKey::from_jwk(&(&jwk).try_into().expect("a JWK")).expect("a key")
            }
        };
        let gate = runtime.block_on(gate(ring));
        let mut validation = Validation::new(algorithm.into());
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        tokens(table, &runtime, &gate, algorithm, &|token| {
            let decoded = jsonwebtoken::decode::<PeerClaims>(token, &decoding, &validation);
            drop(black_box(decoded.expect("it verifies")));
        });
    }
    let gate = runtime.block_on(gate(ring(Algorithm::EdDSA)));
    let token = runtime.block_on(tollgate_benches::server::token(&gate));
    let measured = interleave(vec![
        contestant("bare", &runtime, bare(), &token),
        contestant("Auth<User>", &runtime, guarded(&gate), &token),
    ]);
    let what = "authenticated GET, EdDSA token seen before";
    table.row("7", what, &measured[1], &measured[0], 1.30);
}

fn tokens(
    table: &mut Table,
    runtime: &Runtime,
    gate: &Gate<Accounts>,
    algorithm: Algorithm,
    peer: &dyn Fn(&str),
) {
    let issue = || {
        let user = User::ada();
        let issued = gate.issue(&user, Duration::from_secs(3600));
        runtime.block_on(issued).expect("a token")
    };
    let hot = issue();
    let some: Vec<String> = (0..4096).map(|_| issue()).collect();
    for token in some.iter().chain([&hot]).cycle().take(some.len() * 2 + 2) {
        at_once(gate.verify(token)).expect("it verifies");
    }
    let at = Cell::new(0);
    let turn = |tokens: &[String]| {
        at.set((at.get() + 1) % tokens.len());
        at.get()
    };
    let next = |tokens: &[String]| {
        at_once(gate.verify(&tokens[turn(tokens)])).expect("it verifies");
    };
    let copies = some.clone();
    let measured = interleave(vec![
        Contestant::new("hot", || at_once(gate.verify(&hot)).expect("it verifies")),
        Contestant::new("in turn", || next(&some)),
        Contestant::new("jsonwebtoken", || peer(&hot)),
        Contestant::new("a comparison with a copy", || {
            let at = turn(&some);
            assert!(black_box(&*some[at]) == black_box(&*copies[at]));
        }),
    ]);
    let targets = match algorithm {
        Algorithm::EdDSA => [0.004, 0.005],
        _ => [0.06, 0.06],
    };
    let what = format!("{algorithm:?} token seen before");
    table.row("4", &what, &measured[0], &measured[2], targets[0]);
    let what = format!("{algorithm:?} tokens seen before, 4 096 in turn");
    table.row("4", &what, &measured[1], &measured[2], targets[1]);
    // The floor: two texts that are in no cache of the processor, and nothing else.
    let what = format!("{algorithm:?} tokens in turn, each compared with a copy and no more");
    table.row_as("4", &what, &measured[3], &measured[2], Target::None);

    let many: Vec<String> = (0..20_000).map(|_| issue()).collect();
    let cold = runtime.block_on(gate_without_cache(algorithm));
    // As many tokens of its own: reading them from memory is part of both.
    let for_cold: Vec<String> = (0..20_000)
        .map(|_| {
            let user = User::ada();
            let issued = cold.issue(&user, Duration::from_secs(3600));
            runtime.block_on(issued).expect("a token")
        })
        .collect();
    for token in many.iter().cycle().take(many.len() * 2) {
        at_once(gate.verify(token)).expect("it verifies");
    }
    let cold_at = Cell::new(0);
    let measured = interleave(vec![
        Contestant::new("20 000 in turn", || next(&many)),
        Contestant::new("cold", || {
            cold_at.set((cold_at.get() + 1) % for_cold.len());
            at_once(cold.verify(&for_cold[cold_at.get()])).expect("it verifies")
        }),
    ]);
    let what = format!("{algorithm:?}, 20 000 tokens in turn, the cache at its default");
    table.row("4b", &what, &measured[0], &measured[1], 1.05);

    let large = runtime.block_on(gate_with_cache(ring(algorithm), 64 << 20));
    let many: Vec<String> = (0..20_000)
        .map(|_| {
            let user = User::ada();
            let issued = large.issue(&user, Duration::from_secs(3600));
            runtime.block_on(issued).expect("a token")
        })
        .collect();
    for token in many.iter().cycle().take(many.len() * 2) {
        at_once(large.verify(token)).expect("it verifies");
    }
    let large_at = Cell::new(0);
    let measured = interleave(vec![
        Contestant::new("20 000 in turn", || {
            large_at.set((large_at.get() + 1) % many.len());
            at_once(large.verify(&many[large_at.get()])).expect("it verifies")
        }),
        Contestant::new("jsonwebtoken", || peer(&hot)),
    ]);
    let what = format!("{algorithm:?}, 20 000 tokens in turn, the cache set to hold them");
    let target = match algorithm {
        Algorithm::EdDSA => 0.01,
        _ => 0.1,
    };
    table.row("4b", &what, &measured[0], &measured[1], target);
}

/// Returns a gate that remembers no token.
async fn gate_without_cache(algorithm: Algorithm) -> Gate<Accounts> {
    gate_with_cache(ring(algorithm), 0).await
}

/// Returns what a future says that waits for nothing.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a token that was seen before waits for nothing"),
    }
}
