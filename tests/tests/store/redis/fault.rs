//! A server that is full, gone, slow, a replica, or without scripts: nobody could decide, nothing
//! is lost, and it goes on by itself.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tollgate::prelude::*;
use tollgate::store::{
    LogCursor, OnceValue, Opened, RedisStore, Rotated, SessionStore as _, StoreError, Target,
};
use tollgate_tests::support::redis::Server;

use crate::record::{NOW, advance, hash, new, revocation, sid};
use crate::redis::node::Deployment;

async fn migrated(server: &Server) -> RedisStore {
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store
}

fn why(error: &StoreError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// Waits until an operation works again.
async fn back(store: &RedisStore) -> Duration {
    let start = Instant::now();
    while store.health(NOW).await.is_err() {
        assert!(start.elapsed().as_secs() < 10, "it never came back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn forgotten_scripts_are_sent_again() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = migrated(&server).await;
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    for generation in 0..5 {
        server.command(&["SCRIPT", "FLUSH"]).unwrap();
        assert_eq!(
            store.rotate(advance(1, generation), NOW).await.unwrap(),
            Rotated::Done
        );
        assert_eq!(
            store
                .session(sid(1), NOW)
                .await
                .unwrap()
                .unwrap()
                .generation,
            generation + 1
        );
    }
    // Sent once, run by its hash from then on: of fifty rotations none sends its script.
    server.command(&["CONFIG", "RESETSTAT"]).unwrap();
    for generation in 5..55 {
        assert_eq!(
            store.rotate(advance(1, generation), NOW).await.unwrap(),
            Rotated::Done
        );
    }
    let redis::Value::BulkString(stats) = server.command(&["INFO", "commandstats"]).unwrap() else {
        panic!("no statistics")
    };
    let stats = String::from_utf8(stats).unwrap();
    assert!(stats.contains("cmdstat_evalsha:calls=50,"), "{stats}");
    assert!(!stats.contains("cmdstat_eval:"), "{stats}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_an_error_and_works_again_when_there_is_room() {
    let Some(server) = Server::private(&["--maxmemory", "4mb"]) else {
        return;
    };
    let store = migrated(&server).await;
    store
        .open_session(new(100_000, "grace"), NOW)
        .await
        .unwrap();
    let mut number = 0;
    let refused = loop {
        let mut opening = new(number, "ada");
        opening.claims = Some(vec![1; 4096]);
        match store.open_session(opening, NOW).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 10_000, "it never filled up");
    };
    assert!(why(&refused).contains("OOM"), "{refused:?}");
    println!("full at session {number}");
    for acknowledged in 0..number {
        assert!(
            store
                .session(sid(acknowledged), NOW)
                .await
                .unwrap()
                .is_some(),
            "session {acknowledged} was lost"
        );
    }
    // Nothing of the refused one was written, and whatever writes is refused as a whole.
    assert!(store.session(sid(number), NOW).await.unwrap().is_none());
    assert_eq!(
        store
            .sessions_of("ada".to_owned(), tollgate::store::SessionPage::ALL, NOW)
            .await
            .unwrap()
            .len(),
        usize::try_from(number).unwrap()
    );
    store.rotate(advance(100_000, 0), NOW).await.unwrap_err();
    store
        .revoke(revocation(Target::Subject("grace".to_owned())), NOW)
        .await
        .unwrap_err();
    store.health(NOW).await.unwrap_err();
    let row = store.session(sid(100_000), NOW).await.unwrap().unwrap();
    assert_eq!((row.generation, row.revoked, row.epoch), (0, None, 0));
    assert_eq!(
        store
            .log_since(LogCursor::START, NOW)
            .await
            .unwrap()
            .entries,
        []
    );

    // Room comes back when something goes, which a full server allows.
    let late = NOW.plus(Duration::from_secs(91 * 86_400));
    assert!(store.archive(late, 50, late).await.unwrap().sessions > 0);
    store.health(NOW).await.unwrap();
    let again = OnceValue {
        kind: "k".to_owned(),
        hash: [1; 32],
        payload: vec![1],
        until: late,
        bound: None,
    };
    assert!(store.put_once(again, NOW).await.unwrap());
}

/// A gate on a full server answers 503, and its sessions are there when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_503_and_nobody_is_signed_out() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let deployment = Deployment::new();
    let node = deployment
        .node(
            RedisStore::connect(server.url()).await.unwrap(),
            Settings::default(),
        )
        .await
        .unwrap();
    let tokens = node.sign_in("ada@example.com").await;
    server
        .command(&["CONFIG", "SET", "maxmemory", "1mb"])
        .unwrap();
    let refused = node.refresh(&tokens.refresh).await;
    refused.assert_problem(503, "unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!refused.headers.contains_key("set-cookie"));
    assert_eq!(node.sign_out(&tokens.refresh).await.status, 503);
    assert_eq!(node.admits(&tokens.access).await, 200);
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .unwrap();
    let tokens = node.refresh(&tokens.refresh).await.tokens();
    assert_eq!(node.admits(&tokens.access).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_an_error_at_once_and_works_again_when_it_is_back() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let deployment = Deployment::new();
    let store = RedisStore::connect(server.url()).await.unwrap();
    let node = deployment
        .node(store.clone(), Settings::default())
        .await
        .unwrap();
    let tokens = node.sign_in("ada@example.com").await;
    server.kill();
    let start = Instant::now();
    for _ in 0..50 {
        node.refresh(&tokens.refresh)
            .await
            .assert_problem(503, "unavailable");
    }
    println!("fifty refusals took {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(
        node.admits(&tokens.access).await,
        200,
        "an access token needs no store"
    );
    server.restart();
    println!("back after {:?}", back(&store).await);
    let tokens = node.refresh(&tokens.refresh).await.tokens();
    assert_eq!(node.admits(&tokens.access).await, 200);
}

/// No answer in time is an error, its connection is given up, and what hung does not hold up what
/// comes after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_an_error_in_time() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let options = RedisStore::options(server.url()).response_timeout(Duration::from_millis(300));
    let store = options
        .connect_timeout(Duration::from_millis(300))
        .connect()
        .await
        .unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    server.command(&["CLIENT", "PAUSE", "1500", "ALL"]).unwrap();
    let start = Instant::now();
    store.session(sid(1), NOW).await.unwrap_err();
    assert!(
        start.elapsed() < Duration::from_millis(1400),
        "{:?}",
        start.elapsed()
    );
    println!("back after {:?}", back(&store).await);
    assert_eq!(
        store.rotate(advance(1, 0), NOW).await.unwrap(),
        Rotated::Done
    );
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_an_error_until_it_is_one_again() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = migrated(&server).await;
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let refused = store.rotate(advance(1, 0), NOW).await.unwrap_err();
    assert!(
        why(&refused).to_lowercase().contains("read only"),
        "{refused:?}"
    );
    server.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    assert_eq!(
        store.rotate(advance(1, 0), NOW).await.unwrap(),
        Rotated::Done
    );
}

/// A handshake that the server refuses is an error for now, not for good.
#[tokio::test]
async fn a_refused_handshake_is_tried_again() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = migrated(&server).await;
    server
        .command(&["ACL", "SETUSER", "default", "on", ">another"])
        .unwrap();
    server.command(&["HELLO"]).unwrap_err();
    let mut admin = redis::Client::open(format!("redis://:another@127.0.0.1:{}", server.port))
        .unwrap()
        .get_connection()
        .unwrap();
    redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("normal")
        .arg("SKIPME")
        .arg("yes")
        .exec(&mut admin)
        .unwrap();
    for _ in 0..3 {
        store.health(NOW).await.unwrap_err();
        // It stays refused, however often the store connects again.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    redis::cmd("ACL")
        .arg("SETUSER")
        .arg("default")
        .arg("nopass")
        .exec(&mut admin)
        .unwrap();
    back(&store).await;
}

#[tokio::test]
async fn a_write_waits_for_replicas_where_it_is_told_to() {
    let Some(primary) = Server::private(&[]) else {
        return;
    };
    let waiting = |at_most| {
        RedisStore::options(primary.url())
            .wait_for_replicas(1, at_most)
            .connections(4)
    };
    let hasty = waiting(Duration::from_millis(200)).connect().await.unwrap();
    let refused = hasty.migrate(NOW).await.unwrap_err();
    assert!(why(&refused).contains("0 of 1 replicas"), "{refused:?}");
    // A replica on a busy machine may take its time: what must succeed is asked of a store that has
    // more of it.
    let store = waiting(Duration::from_secs(20)).connect().await.unwrap();
    let Some(mut replica) =
        Server::private(&["--replicaof", "127.0.0.1", &primary.port.to_string()])
    else {
        return;
    };
    let start = Instant::now();
    while store.migrate(NOW).await.is_err() {
        assert!(start.elapsed().as_secs() < 20, "the replica never followed");
    }
    // The hasty one has to have met the deployment, which it may take a while to be told in time.
    while hasty.migrate(NOW).await.is_err() {
        assert!(start.elapsed().as_secs() < 40, "the replica never kept up");
    }
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    for generation in 0..20 {
        assert_eq!(
            store.rotate(advance(1, generation), NOW).await.unwrap(),
            Rotated::Done
        );
    }
    replica.kill();
    let refused = hasty.rotate(advance(1, 20), NOW).await.unwrap_err();
    assert!(why(&refused).contains("0 of 1 replicas"), "{refused:?}");
    // It was done on the primary: its caller cannot know, and reads to find out.
    assert_eq!(
        store
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .generation,
        21
    );
}

/// Eight sessions rotate as fast as they can while the server is killed and started again, five
/// times. Whatever was acknowledged is there (`appendfsync always`).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    const SESSIONS: u32 = 8;
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let store = migrated(&server).await;
    for number in 0..SESSIONS {
        assert!(matches!(
            store.open_session(new(number, "ada"), NOW).await.unwrap(),
            Opened::Open { .. }
        ));
    }
    let (stop, progress) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let mut clients = Vec::new();
    for number in 0..SESSIONS {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        let progress = Arc::clone(&progress);
        clients.push(tokio::spawn(async move {
            let (mut acknowledged, mut errors, mut generation) = (0_u32, 0_u32, 0_u32);
            while !stop.load(Ordering::Relaxed) {
                match store.rotate(advance(number, generation), NOW).await {
                    Ok(Rotated::Done) => {
                        generation += 1;
                        acknowledged += 1;
                        progress.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    Ok(Rotated::Lost) => {}
                    Err(_) => errors += 1,
                }
                // Nobody knows whether the last one was done: the row says it, and never less than
                // was acknowledged.
                if let Ok(row) = store.session(sid(number), NOW).await {
                    let row = row.expect("an acknowledged session is gone");
                    assert!(
                        row.generation >= generation,
                        "session {number}: {} of {generation}",
                        row.generation
                    );
                    assert!(
                        row.generation <= generation + 1,
                        "session {number} went further than was asked for"
                    );
                    assert_eq!(row.current, hash(row.generation));
                    generation = row.generation;
                } else {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            (acknowledged, errors, generation)
        }));
    }
    // All sessions go on between two kills, and after the last one.
    let until_further = async || {
        let (start, before) = (Instant::now(), progress.load(Ordering::Relaxed));
        while progress.load(Ordering::Relaxed) < before + 10 * SESSIONS {
            assert!(start.elapsed().as_secs() < 30, "the sessions do not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..5 {
        until_further().await;
        server.restart();
    }
    until_further().await;
    stop.store(true, Ordering::Relaxed);
    let (mut total, mut unanswered) = (0, 0);
    for (number, client) in (0..).zip(clients) {
        let (acknowledged, errors, generation) = client.await.unwrap();
        back(&store).await;
        let row = store.session(sid(number), NOW).await.unwrap().unwrap();
        assert!(
            row.generation >= generation,
            "session {number}: {} of {generation}",
            row.generation
        );
        (total, unanswered) = (total + acknowledged, unanswered + errors);
    }
    println!(
        "five kills: {total} rotations acknowledged, none lost; {unanswered} answered with an \
         error"
    );
    assert!(total > 100 && unanswered > 0);
}
