//! Several processes on one SQLite file, for which stores of their own stand: nothing is shared but
//! the file.

use std::collections::HashSet;
use std::path::Path;

use tollgate::store::{Fact, LogCursor, Opened, Rotated, SessionStore as _, SqliteStore, Target};

use crate::record::{NOW, advance, new, revocation, sid};

async fn opened(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_sees_the_others_sessions_revocations_and_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let (one, two) = (opened(&path).await, opened(&path).await);

    one.open_session(new(1, "ada"), NOW).await.unwrap();
    assert!(two.session(sid(1), NOW).await.unwrap().is_some());
    assert_eq!(two.rotate(advance(1, 0), NOW).await.unwrap(), Rotated::Done);
    assert_eq!(one.rotate(advance(1, 0), NOW).await.unwrap(), Rotated::Lost);
    assert_eq!(
        one.session(sid(1), NOW).await.unwrap().unwrap().generation,
        1
    );

    let cursor = two.log_since(LogCursor::START, NOW).await.unwrap().cursor;
    one.revoke(revocation(Target::Subject("ada".to_owned())), NOW)
        .await
        .unwrap();
    let page = two.log_since(cursor, NOW).await.unwrap();
    assert_eq!(
        page.entries
            .into_iter()
            .map(|entry| entry.fact)
            .collect::<Vec<_>>(),
        [Fact::Subject("ada".to_owned(), 1)]
    );
    assert!(
        two.session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .revoked
            .is_some()
    );
    assert!(matches!(
        two.open_session(new(2, "ada"), NOW).await.unwrap(),
        Opened::Reload { .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_rotations_in_two_processes_exactly_one_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let stores = [opened(&path).await, opened(&path).await];
    stores[0].open_session(new(1, "ada"), NOW).await.unwrap();
    for generation in 0..16 {
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let store = stores[number % 2].clone();
                tokio::spawn(
                    async move { store.rotate(advance(1, generation), NOW).await.unwrap() },
                )
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += u32::from(task.await.unwrap() == Rotated::Done);
        }
        assert_eq!(done, 1);
    }
    assert_eq!(
        stores[1]
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .generation,
        16
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_in_another_process_skips_no_revocation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let (one, two, reader) = (
        opened(&path).await,
        opened(&path).await,
        opened(&path).await,
    );
    let mut writers = Vec::new();
    for number in 0..200 {
        let store = if number % 2 == 0 {
            one.clone()
        } else {
            two.clone()
        };
        writers.push(tokio::spawn(async move {
            store
                .revoke(revocation(Target::Session(sid(number))), NOW)
                .await
                .unwrap()
        }));
    }
    let following = tokio::spawn(async move {
        let (mut cursor, mut seen) = (LogCursor::START, HashSet::new());
        while seen.len() < 200 {
            let page = reader.log_since(cursor, NOW).await.unwrap();
            seen.extend(page.entries.into_iter().map(|entry| entry.fact));
            cursor = page.cursor;
            tokio::task::yield_now().await;
        }
    });
    for writer in writers {
        writer.await.unwrap();
    }
    tokio::time::timeout(std::time::Duration::from_secs(10), following)
        .await
        .expect("an entry was skipped")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_on_a_fresh_file_all_start() {
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.db");
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { opened(&path).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().health(NOW).await.unwrap();
        }
        let db = rusqlite::Connection::open(&path).unwrap();
        let steps: i64 = db
            .query_row("SELECT count(*) FROM tg_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(steps, 2, "a row a version");
    }
}

/// A cursor from a file that had come further than the one in its place, an older copy, must not
/// hide what is written next.
#[tokio::test]
async fn a_cursor_of_a_longer_log_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let longer = opened(&folder.path().join("longer.db")).await;
    for number in 0..10 {
        longer
            .revoke(revocation(Target::Session(sid(number))), NOW)
            .await
            .unwrap();
    }
    let cursor = longer
        .log_since(LogCursor::START, NOW)
        .await
        .unwrap()
        .cursor;
    let shorter = opened(&folder.path().join("shorter.db")).await;
    shorter
        .revoke(revocation(Target::Session(sid(77))), NOW)
        .await
        .unwrap();
    let page = shorter.log_since(cursor, NOW).await.unwrap();
    assert_eq!(
        page.entries
            .into_iter()
            .map(|entry| entry.fact)
            .collect::<Vec<_>>(),
        [Fact::Session(sid(77))]
    );
}
