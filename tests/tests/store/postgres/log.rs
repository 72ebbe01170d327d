//! The revocation log in PostgreSQL: nothing is skipped, whatever the order of commits and whatever
//! becomes of the server (R89).

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use sqlx::Row as _;
use tollgate::store::{
    Fact, LogCursor, LogPage, PostgresStore, SessionStore as _, StoreError, Target,
};
use tollgate_tests::support::postgres::Server;

use crate::postgres::{execute, opened};
use crate::record::{NOW, revocation, sid};

async fn revoke(store: &PostgresStore, number: u32) {
    store
        .revoke(revocation(Target::Session(sid(number))), NOW)
        .await
        .unwrap();
}

fn sessions(page: LogPage) -> Vec<Fact> {
    page.entries.into_iter().map(|entry| entry.fact).collect()
}

/// A transaction gets its number when it first writes. This one does so before all others and
/// commits after them; a reader that asks for what is above the last number it saw never hears of
/// it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_commits_late_is_not_skipped() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    let mut late = database.connect().await;
    execute(
        &mut late,
        "BEGIN; INSERT INTO tg_revocation(kind, key, value, until) VALUES ('subject', 'late', 7, \
         9000000000000);
         INSERT INTO tg_epoch(kind, key, value) VALUES ('client', 'late', 8)",
    )
    .await;

    let mut cursor = LogCursor::START;
    for number in 0..20 {
        revoke(&store, number).await;
        let page = store.log_since(cursor, NOW).await.unwrap();
        cursor = page.cursor.clone();
        // Exactly once, although a transaction older than all of these is still under way.
        assert_eq!(sessions(page), [Fact::Session(sid(number))]);
    }
    execute(&mut late, "COMMIT").await;
    let page = store.log_since(cursor, NOW).await.unwrap();
    cursor = page.cursor.clone();
    assert_eq!(
        sessions(page),
        [
            Fact::Subject("late".to_owned(), 7),
            Fact::Client("late".to_owned(), 8)
        ]
    );
    assert_eq!(store.log_since(cursor, NOW).await.unwrap().entries, []);
}

/// The same with a hundred writers that take their numbers in one order and commit in another, and
/// two readers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_hear_of_everything_whatever_the_order_of_commits() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut cursor, mut seen) = (LogCursor::START, HashSet::new());
                while seen.len() < 100 {
                    let page = store.log_since(cursor, NOW).await.unwrap();
                    cursor = page.cursor.clone();
                    for fact in sessions(page) {
                        assert!(seen.insert(fact.clone()), "{fact:?} came twice");
                    }
                }
            })
        })
        .collect();
    let mut writers = Vec::new();
    for lane in 0..10_u32 {
        let mut db = database.connect().await;
        writers.push(tokio::spawn(async move {
            for turn in 0..10 {
                execute(&mut db, "BEGIN").await;
                let number = lane * 10 + turn;
                let sql = "INSERT INTO tg_revocation(kind, key, value, until) VALUES ('session', \
                           $1, 0, 9000000000000)";
                sqlx::query(sql)
                    .bind(sid(number).as_bytes())
                    .execute(&mut db)
                    .await
                    .unwrap();
                // Transactions of different lengths commit in another order than they began.
                tokio::time::sleep(Duration::from_millis(u64::from((number * 37) % 50))).await;
                execute(&mut db, "COMMIT").await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for reader in readers {
        tokio::time::timeout(Duration::from_secs(10), reader)
            .await
            .expect("an entry was skipped")
            .unwrap();
    }
}

/// Reads until the server is back.
async fn patiently(store: &PostgresStore, cursor: &LogCursor) -> LogPage {
    let mut last: Option<StoreError> = None;
    for _ in 0..200 {
        match store.log_since(cursor.clone(), NOW).await {
            Ok(page) => return page,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not come back: {last:?}");
}

/// When one of its processes dies, the server ends all others and goes back to what is on the disk.
/// Numbers that never came there are given out again, and a cursor that has seen them would skip
/// their next owners.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_from_before_a_crash_starts_over() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    revoke(&store, 1).await;
    let cursor = store.log_since(LogCursor::START, NOW).await.unwrap().cursor;
    assert_eq!(
        store.log_since(cursor.clone(), NOW).await.unwrap().entries,
        []
    );

    let (mut victim, mut witness) = (database.connect().await, database.connect().await);
    let process: i32 = sqlx::query("SELECT pg_backend_pid()")
        .fetch_one(&mut victim)
        .await
        .unwrap()
        .get(0);
    assert!(
        Command::new("kill")
            .args(["-9", &process.to_string()])
            .status()
            .unwrap()
            .success()
    );
    // The others are ended a moment later.
    while sqlx::query("SELECT 1")
        .fetch_one(&mut witness)
        .await
        .is_ok()
    {}
    // A connection of the store may outlive that of the witness, and has nothing new to tell.
    let page = loop {
        let page = patiently(&store, &cursor).await;
        if !page.entries.is_empty() {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(sessions(page.clone()), [Fact::Session(sid(1))]);
    assert_eq!(
        store
            .log_since(page.cursor.clone(), NOW)
            .await
            .unwrap()
            .entries,
        []
    );

    server.kill();
    server.restart();
    assert_eq!(
        sessions(patiently(&store, &page.cursor).await),
        [Fact::Session(sid(1))]
    );
}

/// A connection that is younger than a cursor cannot tell whether the server crashed in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_is_older_than_its_connection_starts_over() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    revoke(&store, 1).await;
    let cursor = store.log_since(LogCursor::START, NOW).await.unwrap().cursor;
    let mut db = database.connect().await;
    execute(
        &mut db,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \
         current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    assert_eq!(
        sessions(patiently(&store, &cursor).await),
        [Fact::Session(sid(1))]
    );
}

/// A database that was put back from an older copy: its numbers are below those that the cursor has
/// seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_a_server_that_had_come_further_starts_over() {
    let Some(server) = Server::shared() else {
        return;
    };
    let store = opened(&server.database().await.url).await;
    revoke(&store, 1).await;
    let cursor = store
        .log_since(LogCursor::START, NOW)
        .await
        .unwrap()
        .cursor
        .0;
    let (origin, _) = cursor.rsplit_once(' ').unwrap();
    let further = LogCursor(format!("{origin} 4000000000:4000000000:"));
    assert_eq!(
        sessions(store.log_since(further, NOW).await.unwrap()),
        [Fact::Session(sid(1))]
    );
}
