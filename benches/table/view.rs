//! Verifying while the view holds a million entries of every kind (row 9).

use tokio::runtime::Runtime;
use tollgate::clock::{Clock, Timestamp};
use tollgate::id::TokenId;
use tollgate::prelude::*;
use tollgate::store::{Revocation, RevokeReason, SessionStore as _, Target};
use tollgate_benches::server::{AUDIENCE, Accounts, ISSUER, ring, token};
use tollgate_benches::{Contestant, Table, Target as Wanted, interleave};

use super::request::runtime;
use super::seen::at_once;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table, size: u32) {
    let runtime = runtime();
    let (empty, _) = gate(&runtime, 0, &[]);
    for (name, kinds) in [
        ("sessions", &[Kind::Session][..]),
        ("subjects", &[Kind::Subject]),
        ("tokens", &[Kind::Token]),
        ("clients", &[Kind::Client]),
        ("keys", &[Kind::Key]),
        ("of every kind", &Kind::ALL),
    ] {
        let each = size / u32::try_from(kinds.len()).unwrap_or(1);
        let (full, bytes) = gate(&runtime, each, kinds);
        let tokens = |gate: &Gate<Accounts>| -> (Vec<String>, Vec<String>) {
            let of = |count| (0..count).map(|_| runtime.block_on(token(gate))).collect();
            (of(16), of(20_000))
        };
        let (ours, theirs) = (tokens(&full), tokens(&empty));
        let (mut at, mut other_at) = (0, 0);
        let measured = interleave(vec![
            Contestant::new("full", || in_turn(&full, &ours, &mut at)),
            Contestant::new("empty", || in_turn(&empty, &theirs, &mut other_at)),
        ]);
        let what =
            format!("verifying with a view of {size} {name}, tokens seen and unseen in turn");
        table.row("9", &what, &measured[0], &measured[1], 1.05);
        let each = bytes as f64 / f64::from(size);
        table.print(
            "9",
            &format!("bytes an entry, {name}"),
            &format!("{each:.0}"),
            "64",
            vec![each / 64.0],
            Wanted::AtMost(1.0),
        );
    }
}

/// Verifies one of the few tokens, then one of the many.
fn in_turn(gate: &Gate<Accounts>, (few, many): &(Vec<String>, Vec<String>), at: &mut usize) {
    *at += 1;
    for token in [&few[*at % few.len()], &many[*at % many.len()]] {
        at_once(gate.verify(token)).expect("it verifies");
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Session,
    Subject,
    Token,
    Client,
    Key,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Session,
        Self::Subject,
        Self::Token,
        Self::Client,
        Self::Key,
    ];
}

/// Returns a gate whose view holds so many entries of each kind, and how many bytes it took.
fn gate(runtime: &Runtime, each: u32, kinds: &[Kind]) -> (Gate<Accounts>, u64) {
    let store = MemoryStore::new();
    runtime.block_on(async {
        for &kind in kinds {
            for number in 0..each {
                let id = (u128::from(number) << 64 | u128::from(number).wrapping_mul(0x9e37_79b9))
                    .to_be_bytes();
                let target = match kind {
                    Kind::Session => Target::Session(SessionId::from_bytes(id)),
                    Kind::Token => Target::Token(TokenId::from_bytes(id)),
                    Kind::Subject => Target::AccessOf(format!("user-{number}")),
                    Kind::Client => Target::Client(format!("client-{number}")),
                    Kind::Key => Target::Key(format!("key-{number}")),
                };
                let revocation = Revocation {
                    target,
                    reason: RevokeReason::Requested,
                    until: START.plus(std::time::Duration::from_secs(1000)),
                };
                store.revoke(revocation, START).await.expect("a revocation");
            }
        }
    });
    let mut gate = None;
    let weighed = allocation_counter::measure(|| {
        let built = Accounts
            .gate()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .keys(ring(Algorithm::HS256))
            .store(store)
            .clock(Clock::manual(START))
            .build();
        gate = Some(runtime.block_on(async { built.await.expect("a gate") }));
    });
    let bytes = u64::try_from(weighed.bytes_current).unwrap_or(0);
    (gate.expect("a gate"), bytes)
}
