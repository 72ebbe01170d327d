//! An SQLite store whose file is locked or full, or whose queue is: nobody could decide, nothing is
//! lost, and it goes on.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tollgate::store::{LogCursor, Rotated, SessionStore as _, SqliteStore, Target};
use tollgate_tests::support::skipped;

use crate::record::{NOW, advance, new, revocation, sid};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_an_error_within_the_busy_timeout_and_works_again_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::options(&path)
        .busy_timeout(Duration::from_millis(300))
        .open()
        .await
        .unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();

    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    store.rotate(advance(1, 0), NOW).await.unwrap_err();
    let waited = start.elapsed();
    assert!(
        waited >= Duration::from_millis(250) && waited < Duration::from_secs(5),
        "{waited:?}"
    );
    store
        .revoke(revocation(Target::Session(sid(1))), NOW)
        .await
        .unwrap_err();
    store.health(NOW).await.unwrap_err();

    // A reader is not held up.
    let row = store.session(sid(1), NOW).await.unwrap().unwrap();
    assert_eq!((row.generation, row.revoked), (0, None));
    assert_eq!(
        store
            .log_since(LogCursor::START, NOW)
            .await
            .unwrap()
            .entries,
        []
    );

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        store.rotate(advance(1, 0), NOW).await.unwrap(),
        Rotated::Done
    );
    store.health(NOW).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_released_in_time_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.rotate(advance(1, 0), NOW).await }
    });
    // It waits as long as the lock is held.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Rotated::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_file_is_an_error_and_works_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::options(&path)
        .max_pages(60)
        .open()
        .await
        .unwrap();
    store.migrate(NOW).await.unwrap();
    let mut opened = Vec::new();
    let mut number = 0;
    let refused = loop {
        let mut opening = new(number, "ada");
        opening.claims = Some(vec![1; 4000]);
        match store.open_session(opening, NOW).await {
            Ok(_) => opened.push(number),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 1000, "the file never filled up");
    };
    assert!(
        std::error::Error::source(&refused)
            .unwrap()
            .to_string()
            .contains("full"),
        "{refused:?}"
    );
    assert!(opened.len() > 5);
    for number in opened.iter().copied() {
        assert!(
            store.session(sid(number), NOW).await.unwrap().is_some(),
            "session {number} was acknowledged and lost"
        );
    }
    assert!(store.session(sid(number), NOW).await.unwrap().is_none());

    // Room comes back when something goes.
    let late = NOW.plus(Duration::from_secs(200 * 86_400));
    assert!(store.archive(late, 1000, late).await.unwrap().sessions > 0);
    let mut opening = new(number, "ada");
    opening.claims = Some(vec![1; 4000]);
    store.open_session(opening, NOW).await.unwrap();
}

/// A disk that really is full: a file system of 512 KiB. It takes the right to mount one; without
/// it the test says so and ends.
#[test]
fn a_full_disk_is_an_error_and_works_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().to_str().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk])
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skipped("no file system can be mounted");
    }
    let _mounted = Mounted(folder.path().to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(folder.path().join("sessions.db"))
            .await
            .unwrap();
        store.migrate(NOW).await.unwrap();
        store.open_session(new(1, "ada"), NOW).await.unwrap();
        let ballast = folder.path().join("ballast");
        let file = std::fs::File::create(&ballast).unwrap();
        let mut filled = &file;
        while std::io::Write::write(&mut filled, &[0; 4096]).is_ok_and(|written| written > 0) {}
        drop(file);

        let mut generation = 0;
        let refused = loop {
            match store.rotate(advance(1, generation), NOW).await {
                Ok(rotated) => assert_eq!(rotated, Rotated::Done),
                Err(error) => break error,
            }
            generation += 1;
            assert!(generation < 10_000, "the disk never filled up");
        };
        println!(
            "refused at generation {generation}: {refused}: {:?}",
            std::error::Error::source(&refused)
        );
        assert_eq!(
            store
                .session(sid(1), NOW)
                .await
                .unwrap()
                .unwrap()
                .generation,
            generation
        );
        store.rotate(advance(1, generation), NOW).await.unwrap_err();

        std::fs::remove_file(&ballast).unwrap();
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
    });
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::options(&path).queue(4).open().await.unwrap();
    store.migrate(NOW).await.unwrap();
    for number in 0..64 {
        store.open_session(new(number, "ada"), NOW).await.unwrap();
    }
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // One in the writer's hand, which waits for the lock, and then four in the queue.
    let mut waiting = Vec::new();
    for number in 0..64 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            store.rotate(advance(number, 0), NOW).await
        }));
        // One after another, so that the first is in the writer's hand.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let refused = || waiting.iter().filter(|task| task.is_finished()).count();
    let start = Instant::now();
    while refused() < 55 && start.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        (55..=60).contains(&refused()),
        "{} were refused while the lock was held",
        refused()
    );
    other.execute_batch("ROLLBACK").unwrap();
    let (mut done, mut errors) = (0, 0);
    for task in waiting {
        match task.await.unwrap() {
            Ok(rotated) => done += u32::from(rotated == Rotated::Done),
            Err(_) => errors += 1,
        }
    }
    assert_eq!(done + errors, 64);
    assert!((55..=60).contains(&errors), "{errors} were refused");
}

/// An operation that is under way is done, also when its caller has gone: a client cannot stop a
/// revocation by hanging up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queued_operation_is_done_also_for_a_caller_who_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let left = tokio::time::timeout(
        Duration::from_millis(100),
        store.revoke(revocation(Target::Session(sid(1))), NOW),
    );
    left.await.unwrap_err();
    other.execute_batch("ROLLBACK").unwrap();
    store.health(NOW).await.unwrap();
    assert!(
        store
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .revoked
            .is_some()
    );
}

#[tokio::test]
async fn a_store_that_was_never_migrated_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("sessions.db"))
        .await
        .unwrap();
    store.health(NOW).await.unwrap_err();
    store.session(sid(1), NOW).await.unwrap_err();
    store.open_session(new(1, "ada"), NOW).await.unwrap_err();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    assert!(store.session(sid(1), NOW).await.unwrap().is_some());
}

/// SQLite counts the time in milliseconds of 31 bits: a longer one is the longest.
#[tokio::test]
async fn a_busy_timeout_of_any_length_opens() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteStore::options(folder.path().join("long.db"));
    let store = options.busy_timeout(Duration::MAX).open().await.unwrap();
    store.migrate(NOW).await.unwrap();
}
