//! Three nodes on one shared ring, rotated and robbed of a key while requests run: nobody is
//! refused who should not be.
//!
//! `cargo nextest run -p tollgate-tests --test token keys::load --no-capture` prints the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tollgate::clock::{Clock, Timestamp};
use tollgate::keys::SharedRing;
use tollgate::prelude::*;
use tollgate::store::{PostgresStore, Store};
use tollgate_tests::support::postgres::Server;
use tollgate_tests::{Accounts, App};

const NODES: usize = 3;
const ROTATIONS: usize = 3;
/// The requests of one round of all visitors.
const VISITS: u64 = 4 * 2 * NODES as u64;

type Nodes = Arc<Vec<Gate<Accounts>>>;

async fn nodes(store: impl Fn() -> Store, clock: &Clock) -> Nodes {
    let accounts = Accounts::seeded();
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let ring = SharedRing::new(Secret::from_bytes((0..40).collect())).unwrap();
        let node = App::builder().accounts(&accounts).store(store());
        // Sessions come and go while the clock jumps: nothing here is about their windows.
        let node = node.clock(clock).change(|gate| {
            gate.keys(ring)
                .leeway(Duration::from_secs(30))
                .access_ttl(Duration::from_secs(3600))
        });
        nodes.push(node.build().await.gate);
    }
    Arc::new(nodes)
}

/// Signs in at one node, shows the token to another, refreshes at the third, and counts what is
/// refused.
async fn visit(
    nodes: Nodes,
    first: usize,
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
) {
    let at = |step: usize| &nodes[(first + step) % NODES];
    while !stop.load(Ordering::Relaxed) {
        // A store in memory never waits, and would leave the others no turn.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let ada = at(0).backend().user("ada@example.com");
        let outcome = async {
            let issued = at(0).sign_in(ada, &Client::unknown()).await?;
            at(1).verify(&issued.access_token).await?;
            let renewed = at(2)
                .refresh(issued.refresh_token.expose(), &Client::unknown())
                .await?;
            at(1).verify(&renewed.access_token).await?;
            Ok::<_, Refusal>(())
        };
        match outcome.await {
            Ok(()) => served.fetch_add(4, Ordering::Relaxed),
            Err(error) => {
                println!(
                    "refused: {error} {:?}",
                    std::error::Error::source(&error).map(ToString::to_string)
                );
                refused.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

async fn rotate_under_load(store: impl Fn() -> Store, what: &str) {
    let clock = Clock::manual(Timestamp::from(std::time::SystemTime::now()));
    let nodes = nodes(store, &clock).await;
    let (stop, served, refused) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let start = Instant::now();
    let visitors: Vec<_> = (0..2 * NODES)
        .map(|i| {
            tokio::spawn(visit(
                Arc::clone(&nodes),
                i,
                Arc::clone(&stop),
                Arc::clone(&served),
                Arc::clone(&refused),
            ))
        })
        .collect();
    let token = async |node: usize| {
        nodes[node]
            .issue(
                &nodes[node].backend().user("ada@example.com"),
                Duration::from_secs(3600),
            )
            .await
            .unwrap()
    };
    // Every visitor comes round at least once.
    let until_served = async || {
        let (start, before) = (Instant::now(), served.load(Ordering::Relaxed));
        while served.load(Ordering::Relaxed) < before + VISITS {
            assert!(start.elapsed().as_secs() < 30, "the visitors do not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let oldest = token(0).await;
    for round in 0..ROTATIONS {
        clock.advance(Duration::from_secs(15 * 60));
        nodes[round % NODES].keys().rotate().await.unwrap();
        // While the other nodes still sign with the key before.
        until_served().await;
        for node in nodes.iter() {
            node.keys().reload().await.unwrap();
        }
        until_served().await;
    }
    for node in nodes.iter() {
        node.verify(&oldest).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let (served, refused) = (
        served.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed),
    );
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{what}: {NODES} nodes, {ROTATIONS} rotations, {served} requests in {seconds:.1} s, \
         {refused} refused"
    );
    assert_eq!(refused, 0);
    assert!(served > 50, "{served}");

    let kid = nodes[0].keys().current();
    let marked = [token(0).await, token(1).await, token(2).await];
    let start = Instant::now();
    nodes[1].keys().retire(&kid).await.unwrap();
    let called = start.elapsed();
    let mut latest = Duration::ZERO;
    for node in nodes.iter() {
        while node.verify(&marked[0]).await.is_ok() || *node.keys().current() == *kid {
            assert!(start.elapsed() < Duration::from_secs(10), "the promise");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        latest = latest.max(start.elapsed());
    }
    for node in nodes.iter() {
        for token in &marked {
            assert!(node.verify(token).await.is_err());
        }
        assert!(node.keys().jwks().find(&kid).is_none());
    }
    for (signer, verifier) in
        (0..NODES).flat_map(|signer| (0..NODES).map(move |verifier| (signer, verifier)))
    {
        nodes[verifier].verify(&token(signer).await).await.unwrap();
    }
    let (called, latest) = (called.as_millis(), latest.as_millis());
    println!(
        "{what}: a key retired in {called} ms; refused, and no longer signed with, on every node \
         after {latest} ms"
    );
}

/// R39, R40, R87.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r39_r40_a_rotation_under_load_refuses_nobody_and_a_retired_key_is_refused_everywhere() {
    let store = tollgate::store::MemoryStore::new();
    rotate_under_load(|| store.clone().into(), "memory").await;
}

/// The same where the nodes share nothing but a database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r39_r40_the_same_with_nodes_that_share_only_postgresql() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let mut stores = Vec::new();
    for _ in 0..NODES {
        stores.push(PostgresStore::connect(&database.url).await.unwrap());
    }
    let next = std::sync::Mutex::new(stores);
    rotate_under_load(|| next.lock().unwrap().pop().unwrap().into(), "PostgreSQL").await;
}
