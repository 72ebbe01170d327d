//! Verifying while the view holds a million entries of every kind, and while it grows and is purged
//! (row 9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tollgate::clock::{Clock, Timestamp};
use tollgate::id::TokenId;
use tollgate::prelude::*;
use tollgate::store::{Revocation, RevokeReason, SessionStore as _, Target};
use tollgate_benches::server::{AUDIENCE, Accounts, ISSUER, ring, token};
use tollgate_benches::{Contestant, Table, Target as Wanted, interleave};

use super::request::runtime;
use super::seen::at_once;

/// More than a measurement takes: 201 rounds of two milliseconds.
const UNSEEN: u32 = 300_000;
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table, size: u32) {
    let runtime = runtime();
    for (name, kinds) in [
        ("sessions", &[Kind::Session][..]),
        ("subjects", &[Kind::Subject]),
        ("tokens", &[Kind::Token]),
        ("clients", &[Kind::Client]),
        ("keys", &[Kind::Key]),
        ("of every kind", &Kind::ALL),
    ] {
        let each = size / u32::try_from(kinds.len()).unwrap_or(1);
        let store = MemoryStore::new();
        runtime.block_on(fill(&store, each, kinds));
        let (full, bytes) = gate(&runtime, store, Clock::manual(START));
        // A new one each time: what both remember of tokens must be alike.
        let (empty, _) = gate(&runtime, MemoryStore::new(), Clock::manual(START));
        let (ours, theirs) = (tokens(&runtime, &full), tokens(&runtime, &empty));
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
    growth(table, &runtime, size);
    while_it_changes(table, &runtime, size / 4);
}

/// Prints how the time of a verification grows with the view, from a thousand entries.
fn growth(table: &mut Table, runtime: &Runtime, most: u32) {
    let sizes: Vec<u32> = [1000, 10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= most)
        .collect();
    let gates: Vec<_> = sizes
        .iter()
        .map(|size| {
            let store = MemoryStore::new();
            runtime.block_on(fill(&store, size / 5, &Kind::ALL));
            let (gate, _) = gate(runtime, store, Clock::manual(START));
            let tokens = tokens(runtime, &gate);
            (gate, tokens)
        })
        .collect();
    let contestants = gates.iter().map(|(gate, tokens)| {
        let mut at = 0;
        Contestant::new("verify", move || in_turn(gate, tokens, &mut at))
    });
    let measured = interleave(contestants.collect());
    for (size, one) in sizes.iter().zip(&measured) {
        let what = format!("growth: a view of {size} entries against one of a thousand");
        table.row("9", &what, one, &measured[0], 1.05);
        table.point(
            "a token seen before, then an unseen one",
            f64::from(*size),
            one.nanos(),
        );
    }
}

/// Measures while another thread revokes sessions, lets them be forgotten, and purges the view: the
/// maps grow and shrink, and the filter is made again and again.
fn while_it_changes(table: &mut Table, runtime: &Runtime, size: u32) {
    let (empty, _) = gate(runtime, MemoryStore::new(), Clock::manual(START));
    let store = MemoryStore::new();
    runtime.block_on(fill(&store, size, &[Kind::Session]));
    let (churn, changing) = Churn::start(store, size / 2);
    let (ours, theirs) = (tokens(runtime, &changing), tokens(runtime, &empty));
    churn.begin.send(()).expect("a thread");
    let (mut at, mut other_at) = (0, 0);
    let mut measured = Vec::new();
    let before = churn.rounds.load(Ordering::Relaxed);
    for _ in 0..3 {
        measured = interleave(vec![
            Contestant::new("changing", || in_turn(&changing, &ours, &mut at)),
            Contestant::new("empty", || in_turn(&empty, &theirs, &mut other_at)),
        ]);
    }
    let rounds = churn.rounds.load(Ordering::Relaxed) - before;
    churn.stop();
    let what = format!(
        "the same with a view of {size} to {} sessions, grown and purged {rounds} times meanwhile",
        size + size / 2
    );
    table.row("9", &what, &measured[0], &measured[1], 1.05);
}

/// A thread that lets the view of a gate grow and purges it, over and over. Its timers do not wait:
/// the gate's own tasks follow the log and purge as soon as nothing else is to be done.
struct Churn {
    /// Lets it begin: until then tokens can be issued without waiting for it.
    begin: Sender<()>,
    rounds: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Churn {
    fn start(store: MemoryStore, batch: u32) -> (Self, Gate<Accounts>) {
        let (rounds, is_over) = (Arc::default(), Arc::default());
        let (ready, gates) = channel();
        let (begin, begins) = channel();
        let thread = std::thread::spawn({
            let (rounds, is_over) = (Arc::clone(&rounds), Arc::clone(&is_over));
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(true)
                    .build()
                    .expect("a runtime");
                let clock = Clock::manual(START);
                let (gate, _) = gate(&runtime, store.clone(), clock.clone());
                ready.send(gate).expect("a reader");
                begins.recv().expect("a word");
                runtime.block_on(change(&store, &clock, batch, (&rounds, &is_over)));
            }
        });
        let gate = gates.recv().expect("a gate");
        let churn = Self {
            begin,
            rounds,
            is_over,
            thread,
        };
        (churn, gate)
    }

    fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("a thread");
    }
}

async fn change(
    store: &MemoryStore,
    clock: &Clock,
    batch: u32,
    (rounds, is_over): (&AtomicUsize, &AtomicBool),
) {
    let mut next = 1_u128 << 100;
    while !is_over.load(Ordering::Relaxed) {
        let until = clock.now().plus(Duration::from_millis(10));
        for _ in 0..batch {
            next += 1;
            let target = Target::Session(SessionId::from_bytes(next.to_be_bytes()));
            let reason = RevokeReason::Requested;
            let revocation = Revocation {
                target,
                reason,
                until,
            };
            let revoked = store.revoke(revocation, clock.now()).await;
            revoked.expect("a revocation");
        }
        // The gate reads the log within a second, and purges within the next thirty.
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance(Duration::from_millis(20));
        tokio::time::sleep(Duration::from_secs(31)).await;
        rounds.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns a few tokens, which will be remembered, and so many that none comes twice in a measurement.
fn tokens(runtime: &Runtime, gate: &Gate<Accounts>) -> (Vec<String>, Vec<String>) {
    let of = |count| (0..count).map(|_| runtime.block_on(token(gate))).collect();
    (of(16), of(UNSEEN))
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

/// Adds so many revocations of each kind to a store.
async fn fill(store: &MemoryStore, each: u32, kinds: &[Kind]) {
    for &kind in kinds {
        // A mixture has few clients: the store compares the epochs of subjects and clients.
        let few = matches!(kind, Kind::Client) && kinds.len() > 1;
        for number in 0..(if few { each / 1000 } else { each }) {
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
                until: START.plus(Duration::from_secs(1000)),
            };
            store.revoke(revocation, START).await.expect("a revocation");
        }
    }
}

/// Returns a gate whose view holds the revocations of a store, and how many bytes it took.
fn gate(runtime: &Runtime, store: MemoryStore, clock: Clock) -> (Gate<Accounts>, u64) {
    let mut gate = None;
    let weighed = allocation_counter::measure(|| {
        let built = Accounts
            .gate()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .keys(ring(Algorithm::HS256))
            .store(store)
            .clock(clock)
            .build();
        gate = Some(runtime.block_on(async { built.await.expect("a gate") }));
    });
    let bytes = u64::try_from(weighed.bytes_current).unwrap_or(0);
    (gate.expect("a gate"), bytes)
}
