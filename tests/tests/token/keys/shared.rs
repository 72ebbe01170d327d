//! The ring in the store: one for all nodes, sealed, swapped in one step, followed by everyone.

use std::sync::Arc;
use std::time::Duration;

use tollgate::clock::Clock;
use tollgate::error::Code;
use tollgate::keys::{Algorithm, SharedRing};
use tollgate::prelude::*;
use tollgate::secret::Secret;
use tollgate::store::SessionStore;
use tollgate_tests::{Accounts, App};

const AHEAD: Duration = Duration::from_secs(15 * 60);

fn secret(from: u8) -> Secret {
    Secret::from_bytes((from..from + 40).collect())
}

fn ring() -> SharedRing {
    SharedRing::new(secret(0)).unwrap()
}

fn clock() -> Clock {
    Clock::manual(tollgate::testing::START)
}

async fn node(
    ring: SharedRing,
    store: &MemoryStore,
    clock: &Clock,
) -> Result<Gate<Accounts>, tollgate::error::Error> {
    let app = App::builder()
        .store(store.clone())
        .clock(clock)
        .change(|gate| gate.keys(ring));
    Ok(app.try_build().await?.gate)
}

async fn token(gate: &Gate<Accounts>) -> String {
    gate.issue(
        &gate.backend().user("ada@example.com"),
        Duration::from_secs(600),
    )
    .await
    .unwrap()
}

fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(
        || error.to_string(),
        |source| format!("{error}: {}", told(source)),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_share_one_ring() {
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::HS256] {
        let (store, clock) = (MemoryStore::new(), clock());
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let (store, clock) = (store.clone(), clock.clone());
                tokio::spawn(async move {
                    node(ring().algorithm(algorithm), &store, &clock)
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut nodes = Vec::new();
        for start in starting {
            nodes.push(start.await.unwrap());
        }
        for one in &nodes {
            let token = token(one).await;
            for other in &nodes {
                other.verify(&token).await.unwrap();
            }
        }
        let issued = nodes[0]
            .sign_in(
                nodes[0].backend().user("ada@example.com"),
                &Client::unknown(),
            )
            .await
            .unwrap();
        assert!(
            nodes[1]
                .refresh(issued.refresh_token.expose(), &Client::unknown())
                .await
                .is_err(),
            "another backend's ada"
        );
    }
}

/// The ring in the store is worth nothing without the secret of the nodes, and cannot be changed or
/// put back unnoticed.
#[tokio::test]
async fn r79_the_store_holds_no_key_that_can_be_read_or_changed() {
    let (store, clock) = (MemoryStore::new(), clock());
    let first = node(ring(), &store, &clock).await.unwrap();
    let stored = store.keys().await.unwrap();
    let kid = first.keys().current();
    assert!(
        !stored
            .ring
            .windows(kid.len())
            .any(|window| window == kid.as_bytes()),
        "not even a name can be read"
    );

    let refusal = told(
        &node(SharedRing::new(secret(100)).unwrap(), &store, &clock)
            .await
            .unwrap_err(),
    );
    assert!(refusal.contains("sealed under another secret"), "{refusal}");
    let refusal = told(
        &node(ring().algorithm(Algorithm::ES256), &store, &clock)
            .await
            .unwrap_err(),
    );
    assert!(
        refusal.contains("holds EdDSA keys, and ES256 was asked for"),
        "{refusal}"
    );

    for at in [0, 11, 12, stored.ring.len() / 2, stored.ring.len() - 1] {
        let damaged = MemoryStore::new();
        let mut bytes = stored.ring.clone();
        bytes[at] ^= 1;
        for version in 0..stored.version {
            let ring = if version + 1 == stored.version {
                bytes.clone()
            } else {
                Vec::new()
            };
            assert!(damaged.swap_keys(version, ring, clock.now()).await.unwrap());
        }
        let refusal = told(&node(ring(), &damaged, &clock).await.unwrap_err());
        assert!(refusal.contains("is damaged"), "{at}: {refusal}");
    }

    // The very bytes of before under a later version.
    clock.advance(AHEAD);
    first.keys().rotate().await.unwrap();
    let now = store.keys().await.unwrap();
    assert!(
        store
            .swap_keys(now.version, stored.ring, clock.now())
            .await
            .unwrap()
    );
    let refusal = told(&first.keys().reload().await.unwrap_err());
    assert!(refusal.contains("is damaged"), "{refusal}");
    assert_ne!(
        first.keys().current(),
        kid,
        "it goes on with the keys it has"
    );
}

#[tokio::test]
async fn a_ring_follows_its_secret_to_another_one() {
    let (store, clock) = (MemoryStore::new(), clock());
    let old = node(ring(), &store, &clock).await.unwrap();
    let token = token(&old).await;
    let moving = || {
        SharedRing::new(secret(100))
            .unwrap()
            .previous_secret(secret(0))
            .unwrap()
    };
    let new = node(moving(), &store, &clock).await.unwrap();
    new.verify(&token).await.unwrap();
    clock.advance(AHEAD);
    new.keys().rotate().await.unwrap();
    node(SharedRing::new(secret(100)).unwrap(), &store, &clock)
        .await
        .unwrap();
    assert!(
        node(ring(), &store, &clock).await.is_err(),
        "sealed under the new one"
    );
    for weak in [vec![7; 64], (0..31).collect()] {
        assert!(SharedRing::new(Secret::from_bytes(weak.clone())).is_err());
        assert!(ring().previous_secret(Secret::from_bytes(weak)).is_err());
    }
}

/// Of many that rotate at once one does; the others find a key that is published since now.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_nodes_that_rotate_at_once_one_does() {
    let (store, clock) = (MemoryStore::new(), clock());
    let mut nodes = Vec::new();
    for _ in 0..6 {
        nodes.push(Arc::new(node(ring(), &store, &clock).await.unwrap()));
    }
    for _ in 0..5 {
        clock.advance(AHEAD);
        let rotating: Vec<_> = nodes
            .iter()
            .map(|node| {
                let node = Arc::clone(node);
                tokio::spawn(async move { node.keys().rotate().await.is_ok() })
            })
            .collect();
        let mut rotated = 0;
        for node in rotating {
            rotated += u32::from(node.await.unwrap());
        }
        assert_eq!(rotated, 1);
        for node in &nodes {
            node.keys().reload().await.unwrap();
            assert_eq!(node.keys().current(), nodes[0].keys().current());
        }
    }
}

/// R39, R40, R91: before any node has read the ring again, the log tells all of them.
#[tokio::test]
async fn r40_a_retired_key_is_refused_on_every_node_and_none_goes_on_signing_with_it() {
    let (store, clock) = (MemoryStore::new(), clock());
    let (one, two) = (
        node(ring(), &store, &clock).await.unwrap(),
        node(ring(), &store, &clock).await.unwrap(),
    );
    let kid = one.keys().current();
    let (mine, yours) = (token(&one).await, token(&two).await);
    one.keys().retire(&kid).await.unwrap();
    for token in [&mine, &yours] {
        assert_eq!(
            one.verify(token).await.unwrap_err().code(),
            Code::InvalidToken,
            "at once here"
        );
    }
    assert!(one.keys().jwks().find(&kid).is_none());
    let mut waited = 0;
    while two.verify(&mine).await.is_ok() || *two.keys().current() == *kid {
        waited += 1;
        assert!(
            waited < 70,
            "seven seconds: after ten the ring would have been read again anyway"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        two.verify(&yours).await.unwrap_err().code(),
        Code::InvalidToken
    );
    assert_eq!(one.keys().current(), two.keys().current());
    one.verify(&token(&two).await).await.unwrap();
    assert!(
        one.keys()
            .retire(&kid)
            .await
            .unwrap_err()
            .to_string()
            .contains("no key")
    );
}
