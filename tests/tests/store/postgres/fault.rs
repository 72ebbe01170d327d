//! A PostgreSQL that is killed, frozen, full, locked or slow: nobody could decide, nothing
//! acknowledged is lost, and it goes on.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, raw_sql};
use tollgate::store::{PostgresOptions, PostgresStore, Rotated, SessionStore as _, Target};
use tollgate_tests::support::postgres::{Database, Server};
use tollgate_tests::support::skipped;

use crate::postgres::{execute, number, until_waiting};
use crate::record::{NOW, advance, hash, new, revocation, sid};

/// A store with a session of ada's.
async fn with_session(
    database: &Database,
    set: impl FnOnce(PostgresOptions) -> PostgresOptions,
) -> PostgresStore {
    let store = set(PostgresStore::options(&database.url))
        .connect()
        .await
        .unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    store
}

/// Eight sessions are rotated as fast as it goes while the server is killed; what was acknowledged
/// is there afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let mut expected: BTreeMap<u32, u32> = BTreeMap::new();
    for number in 0..8 {
        store.open_session(new(number, "ada"), NOW).await.unwrap();
        expected.insert(number, 0);
    }
    let mut rotations = 0;
    for round in 0..3_u64 {
        let acknowledged = Arc::new(Mutex::new(expected.clone()));
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    loop {
                        let generation = acknowledged.lock().unwrap()[&number];
                        match store.rotate(advance(number, generation), NOW).await {
                            Ok(rotated) => assert_eq!(rotated, Rotated::Done),
                            Err(error) => return error,
                        }
                        acknowledged.lock().unwrap().insert(number, generation + 1);
                    }
                })
            })
            .collect();
        // Each kill comes at another moment.
        tokio::time::sleep(Duration::from_millis(300 + 97 * round)).await;
        server.kill();
        for task in tasks {
            let error = tokio::time::timeout(Duration::from_secs(10), task)
                .await
                .expect("no answer in ten seconds")
                .unwrap();
            assert!(error.source().is_some(), "{error:?}");
        }
        // While it is down, the answer is an error, and soon.
        let start = Instant::now();
        store.session(sid(1), NOW).await.unwrap_err();
        store
            .revoke(revocation(Target::Session(sid(1))), NOW)
            .await
            .unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(6),
            "{:?}",
            start.elapsed()
        );

        tokio::task::block_in_place(|| server.restart());
        expected = acknowledged.lock().unwrap().clone();
        for (session, generation) in &mut expected {
            let row = store
                .session(sid(*session), NOW)
                .await
                .unwrap()
                .expect("an acknowledged session is gone");
            assert!(
                row.generation >= *generation,
                "session {session}: {} of {generation}",
                row.generation
            );
            assert!(
                row.generation <= *generation + 1,
                "session {session} went further than was asked for"
            );
            assert_eq!(row.current, hash(row.generation));
            rotations += *generation;
            *generation = row.generation;
        }
    }
    println!("{rotations} rotations acknowledged over three kills, none lost");
    assert!(rotations > 8);
}

/// A server that is there and does not answer, as behind a cut network: every call ends in its
/// time, and no connection is lost for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_server_is_given_up_in_time_and_works_again_after() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let soon = Duration::from_millis(400);
    let store = with_session(&database, |options| {
        options
            .acquire_timeout(soon)
            .statement_timeout(soon)
            .max_connections(4)
    })
    .await;
    let all = |store: &PostgresStore| -> Vec<_> {
        (0..12)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    match number % 3 {
                        0 => store.session(sid(1), NOW).await.map(drop),
                        1 => store.health(NOW).await.map(drop),
                        _ => store
                            .revoke(revocation(Target::Session(sid(100 + number))), NOW)
                            .await
                            .map(drop),
                    }
                })
            })
            .collect()
    };
    for task in all(&store) {
        task.await.unwrap().unwrap();
    }
    for _ in 0..2 {
        server.signal("STOP");
        let start = Instant::now();
        for task in all(&store) {
            task.await.unwrap().unwrap_err();
        }
        let waited = start.elapsed();
        server.signal("CONT");
        assert!(waited < Duration::from_secs(5), "{waited:?}");
        for task in all(&store) {
            task.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_others_hold_is_an_error_within_the_lock_time_out_and_works_again_after() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    // One connection: what a failed operation left on it, the next one would meet.
    let store = with_session(&database, |options| {
        options
            .lock_timeout(Duration::from_millis(300))
            .max_connections(1)
    })
    .await;
    let mut other = database.connect().await;
    for lock in [
        "SELECT FROM tg_session FOR UPDATE",
        "SELECT FROM tg_subject FOR UPDATE",
        "LOCK TABLE tg_epoch IN EXCLUSIVE MODE",
    ] {
        execute(&mut other, "BEGIN").await;
        raw_sql(lock).execute(&mut other).await.unwrap();
        let start = Instant::now();
        if lock.contains("tg_session") {
            store.rotate(advance(1, 0), NOW).await.unwrap_err();
        } else {
            store.open_session(new(2, "ada"), NOW).await.unwrap_err();
        }
        let waited = start.elapsed();
        assert!(
            waited >= Duration::from_millis(250) && waited < Duration::from_secs(3),
            "{lock}: {waited:?}"
        );
        store
            .revoke(revocation(Target::Subject("ada".to_owned())), NOW)
            .await
            .unwrap_err();
        // A reader is not held up, and a failed write changed nothing.
        let row = store.session(sid(1), NOW).await.unwrap().unwrap();
        assert_eq!((row.generation, row.revoked, row.epoch), (0, None, 0));
        assert!(store.session(sid(2), NOW).await.unwrap().is_none());
        execute(&mut other, "ROLLBACK").await;
    }
    assert_eq!(
        store.rotate(advance(1, 0), NOW).await.unwrap(),
        Rotated::Done
    );
    store.open_session(new(2, "ada"), NOW).await.unwrap();
}

/// A deadlock that others brought about is tried again; they are not disturbed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = with_session(&database, |options| options).await;
    store.open_session(new(2, "ada"), NOW).await.unwrap();
    let mut other = database.connect().await;
    let mut watch = database.connect().await;
    let row = |number: u32| {
        AssertSqlSafe(format!(
            "SELECT FROM tg_session WHERE sid = '\\x{:08x}{:024x}' FOR UPDATE",
            number, 0
        ))
    };
    execute(&mut other, "BEGIN; SET LOCAL deadlock_timeout = '30s'").await;
    raw_sql(row(2)).execute(&mut other).await.unwrap();
    let confirming = tokio::spawn({
        let store = store.clone();
        async move { store.confirm(vec![(sid(1), 0), (sid(2), 0)], NOW).await }
    });
    until_waiting(&mut watch, 1).await;
    // It has the one and waits for the other; now we wait for it.
    raw_sql(row(1)).execute(&mut other).await.unwrap();
    execute(&mut other, "COMMIT").await;
    assert_eq!(confirming.await.unwrap().unwrap(), 2);
    for _ in 0..100 {
        if number(
            &mut watch,
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        )
        .await
            == 1
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("there was no deadlock");
}

/// More than there are connections: who gets none in time is answered, and the next one after is
/// served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_used_up_is_an_error_in_time() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = with_session(&database, |options| {
        options
            .max_connections(1)
            .acquire_timeout(Duration::from_millis(200))
    })
    .await;
    let mut other = database.connect().await;
    execute(&mut other, "BEGIN; SELECT FROM tg_session FOR UPDATE").await;
    let rotating = tokio::spawn({
        let store = store.clone();
        async move { store.rotate(advance(1, 0), NOW).await }
    });
    until_waiting(&mut other, 1).await;
    let start = Instant::now();
    store.session(sid(1), NOW).await.unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    execute(&mut other, "ROLLBACK").await;
    assert_eq!(rotating.await.unwrap().unwrap(), Rotated::Done);
    assert_eq!(
        store
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .generation,
        1
    );
}

/// An operation that is under way is done, also when its caller has gone: a client cannot stop a
/// revocation by hanging up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_is_done_also_for_a_caller_who_left() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = with_session(&database, |options| options.max_connections(1)).await;
    let mut other = database.connect().await;
    execute(&mut other, "BEGIN; SELECT FROM tg_session FOR UPDATE").await;
    for target in [Target::Session(sid(1)), Target::Subject("ada".to_owned())] {
        let left = tokio::time::timeout(
            Duration::from_millis(100),
            store.revoke(revocation(target), NOW),
        )
        .await;
        left.unwrap_err();
    }
    execute(&mut other, "ROLLBACK").await;
    store.health(NOW).await.unwrap();
    let row = store.session(sid(1), NOW).await.unwrap().unwrap();
    assert_eq!((row.revoked.is_some(), row.epoch), (true, 1));
}

/// Connections that the server closed, as on its restart, cost no error where nothing was under
/// way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_closed_are_replaced() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = with_session(&database, |options| options).await;
    let mut other = database.connect().await;
    let close = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    execute(&mut other, close).await;
    // Used a moment ago, it is taken to be alive: a read is asked again.
    assert!(store.session(sid(1), NOW).await.unwrap().is_some());
    execute(&mut other, close).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // Unused for a while, it is asked before a write is sent.
    assert_eq!(
        store.rotate(advance(1, 0), NOW).await.unwrap(),
        Rotated::Done
    );
}

/// A disk that really is full: the tables lie on a file system of two MiB. It takes the right to
/// mount one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_an_error_and_works_again_when_there_is_room() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let disk = server.folder().join("small");
    std::fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        skipped("no file system can be mounted");
        return;
    }
    let _mounted = Mounted(disk.clone());
    server.adopt(&[&disk]);
    let mut admin = server.connect().await;
    let place = AssertSqlSafe(format!(
        "CREATE TABLESPACE small LOCATION '{}'",
        disk.display()
    ));
    raw_sql(place).execute(&mut admin).await.unwrap();
    let database = server.database().await;
    let store = PostgresStore::connect(&format!(
        "{}&options[default_tablespace]=small",
        database.url
    ))
    .await
    .unwrap();
    store.migrate(NOW).await.unwrap();

    let mut opened = Vec::new();
    let refused = loop {
        let mut opening = new(u32::try_from(opened.len()).unwrap(), "ada");
        opening.claims = Some((0..4000_u32).map(|n| ((n * 7919) >> 3) as u8).collect());
        match store.open_session(opening, NOW).await {
            Ok(_) => opened.push(opened.len()),
            Err(error) => break error,
        }
        assert!(opened.len() < 5000, "the disk never filled up");
    };
    let why = refused.source().unwrap().to_string();
    assert!(why.contains("No space left"), "{why}");
    println!("refused after {} sessions: {why}", opened.len());
    for number in &opened {
        let found = store
            .session(sid(u32::try_from(*number).unwrap()), NOW)
            .await
            .unwrap();
        assert!(
            found.is_some(),
            "session {number} was acknowledged and lost"
        );
    }
    assert!(
        store
            .session(sid(u32::try_from(opened.len()).unwrap()), NOW)
            .await
            .unwrap()
            .is_none()
    );
    let larger = std::process::Command::new("mount")
        .args(["-o", "remount,size=8m"])
        .arg(&disk)
        .status()
        .unwrap();
    assert!(larger.success());
    store.open_session(new(9999, "ada"), NOW).await.unwrap();
    assert_eq!(
        store.rotate(advance(0, 0), NOW).await.unwrap(),
        Rotated::Done
    );
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(&self.0)
            .status();
    }
}

/// A server that took no writes for a while left connections behind that take none: they are given
/// up, and new ones are not opened to a standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_take_no_writes_are_given_up() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let store = with_session(&database, |options| options).await;
    let mut admin = server.connect().await;
    let read_only = "ALTER ROLE tollgate SET default_transaction_read_only = on";
    execute(&mut admin, read_only).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND usename = current_user";
    execute(&mut admin, "SET default_transaction_read_only = off").await;
    execute(&mut admin, end).await;
    for number in 2..6 {
        assert!(store.open_session(new(number, "ada"), NOW).await.is_err());
    }
    let writable = "ALTER ROLE tollgate SET default_transaction_read_only = off";
    execute(&mut admin, writable).await;
    let opened = store.open_session(new(6, "ada"), NOW).await;
    assert!(opened.is_ok(), "{opened:?}");
}
