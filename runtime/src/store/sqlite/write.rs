//! The writer: one thread, one connection, group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::record::StoreError;
use crate::store::shared::operation::{Cause, StoreOperation};

/// The queue of the writing thread.
pub(super) struct Writer(pub(super) SyncSender<Box<dyn Work>>);

impl Writer {
    /// Queues an operation and waits for its answer. Once queued it runs even if the caller is
    /// gone: a revocation does not depend on a client that waits for the answer.
    pub(super) async fn run<T, F>(&self, operation: StoreOperation, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued = QueuedOperation {
            operation,
            run: Some(run),
            outcome: None,
            answer,
        };
        self.0
            .try_send(Box::new(queued))
            .map_err(|error| unqueued(operation, &error))?;
        answered
            .await
            .unwrap_or_else(|_| Err(operation.failed("the writing thread is gone")))
    }
}

/// Returns the error of a queue that accepts nothing.
pub(super) fn unqueued<T>(operation: StoreOperation, error: &TrySendError<T>) -> StoreError {
    operation.failed(match error {
        TrySendError::Full(_) => "the queue is full",
        TrySendError::Disconnected(_) => "the thread is gone",
    })
}

/// An operation in the queue.
pub(super) trait Work: Send {
    /// Runs it, and returns whether its writes are to be kept.
    fn run(&mut self, db: &Connection) -> bool;
    /// Answers after the commit, with the result of [`run`](Self::run).
    fn answer(self: Box<Self>);
    /// Answers that nothing was written.
    fn fail(self: Box<Self>, why: &str);
}

struct QueuedOperation<T, F> {
    operation: StoreOperation,
    run: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for QueuedOperation<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Cause> + Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        let Some(run) = self.run.take() else {
            return false;
        };
        let outcome = attempt(self.operation, run, db);
        let stays = outcome.is_ok();
        self.outcome = Some(outcome);
        stays
    }

    fn answer(self: Box<Self>) {
        // The caller may be gone.
        let _ = self.answer.send(
            self.outcome
                .unwrap_or_else(|| Err(self.operation.failed("it did not run"))),
        );
    }

    fn fail(self: Box<Self>, why: &str) {
        let error = match self.outcome {
            Some(Err(error)) => error,
            _ => self.operation.failed(why),
        };
        let _ = self.answer.send(Err(error));
    }
}

/// Runs a function on a connection. A panic is an error like any other, so that the thread survives
/// it.
pub(super) fn attempt<T>(
    operation: StoreOperation,
    run: impl FnOnce(&Connection) -> Result<T, Cause>,
    db: &Connection,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(|| run(db))) {
        Ok(outcome) => outcome.map_err(|error| operation.failed(error)),
        Err(_) => Err(operation.failed("the operation panicked")),
    }
}

/// Serves the queue until its last sender is gone.
pub(super) fn serve(db: &Connection, queue: &Receiver<Box<dyn Work>>) {
    while let Ok(first) = queue.recv() {
        commit(db, first, queue);
    }
}

/// Runs the first operation and those that wait after it in one transaction, and answers only after
/// its commit.
///
/// It ends early if SQLite gives up the whole transaction, as it may on a full disk: then the
/// operations that ran are answered with an error, and the rest waits for the next transaction.
fn commit(db: &Connection, first: Box<dyn Work>, queue: &Receiver<Box<dyn Work>>) {
    if !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
    if let Err(error) = execute(db, "BEGIN IMMEDIATE") {
        // The operations after the first one have waited for the same lock, and would wait for it
        // once more. They are collected before the first one is answered: an operation that is
        // queued after that has not waited at all.
        let waited = std::iter::once(first)
            .chain(queue.try_iter().take(8 * GROUP))
            .collect();
        return abandon(db, waited, &error);
    }
    let mut done = Vec::new();
    for mut work in std::iter::once(first).chain(queue.try_iter().take(GROUP - 1)) {
        let step = step(db, work.as_mut());
        done.push(work);
        if let Err(error) = step {
            return abandon(db, done, &error);
        }
        if db.is_autocommit() {
            return abandon(db, done, &"the transaction was rolled back");
        }
    }
    match execute(db, "COMMIT") {
        Ok(()) => done.into_iter().for_each(Work::answer),
        Err(error) => abandon(db, done, &error),
    }
}

/// Runs one operation in a savepoint, so that its failure does not affect the others.
fn step(db: &Connection, work: &mut dyn Work) -> rusqlite::Result<()> {
    execute(db, "SAVEPOINT tg_step")?;
    if !work.run(db) && !db.is_autocommit() {
        execute(db, "ROLLBACK TO tg_step")?;
    }
    if db.is_autocommit() {
        Ok(())
    } else {
        execute(db, "RELEASE tg_step")
    }
}

fn abandon(db: &Connection, done: Vec<Box<dyn Work>>, why: &dyn std::fmt::Display) {
    if !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
    let why = why.to_string();
    done.into_iter().for_each(|work| work.fail(&why));
}

fn execute(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

/// The largest number of operations in one transaction.
const GROUP: usize = 512;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn memory() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t(n INTEGER PRIMARY KEY) STRICT")
            .unwrap();
        db
    }

    fn rows(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap()
    }

    type Wait = oneshot::Receiver<Result<(), StoreError>>;

    fn work(
        run: impl FnOnce(&Connection) -> Result<(), Cause> + Send + 'static,
    ) -> (Box<dyn Work>, Wait) {
        let (answer, wait) = oneshot::channel();
        (
            Box::new(QueuedOperation {
                operation: StoreOperation::Health,
                run: Some(run),
                outcome: None,
                answer,
            }),
            wait,
        )
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<(), Cause> + Send {
        move |db| Ok(db.execute("INSERT INTO t VALUES (?)", [n]).map(drop)?)
    }

    /// Runs the operations as if they were found in the queue.
    fn run(db: &Connection, operations: impl IntoIterator<Item = Box<dyn Work>>) {
        let (queue, queued) = sync_channel(8);
        for work in operations {
            queue.try_send(work).ok().unwrap();
        }
        drop(queue);
        serve(db, &queued);
    }

    #[test]
    fn a_failing_or_panicking_operation_does_not_fail_its_neighbours() {
        let db = memory();
        let (first, mut first_wait) = work(insert(1));
        let (fails, mut fails_wait) = work(|db| {
            insert(2)(db)?;
            Err("no".into())
        });
        let (panics, mut panics_wait) = work(|db| {
            insert(3)(db)?;
            panic!("a bug")
        });
        let (last, mut last_wait) = work(insert(4));
        run(&db, [first, fails, panics, last]);
        first_wait.try_recv().unwrap().unwrap();
        fails_wait.try_recv().unwrap().unwrap_err();
        panics_wait.try_recv().unwrap().unwrap_err();
        last_wait.try_recv().unwrap().unwrap();
        assert_eq!(rows(&db), 2);
    }

    #[test]
    fn a_commit_that_fails_answers_the_whole_group_with_an_error() {
        let db = memory();
        db.execute_batch(
            "PRAGMA foreign_keys = ON; CREATE TABLE c(n INTEGER REFERENCES t(n) DEFERRABLE \
             INITIALLY DEFERRED) STRICT",
        )
        .unwrap();
        let (good, mut good_wait) = work(insert(1));
        let (late, mut late_wait) =
            work(|db| Ok(db.execute("INSERT INTO c VALUES (99)", []).map(drop)?));
        run(&db, [good, late]);
        good_wait.try_recv().unwrap().unwrap_err();
        late_wait.try_recv().unwrap().unwrap_err();
        assert_eq!(rows(&db), 0);

        let (next, mut next_wait) = work(insert(2));
        run(&db, [next]);
        next_wait.try_recv().unwrap().unwrap();
    }

    #[test]
    fn a_transaction_that_sqlite_gives_up_fails_what_ran_and_spares_the_rest() {
        let db = memory();
        let (ran, mut ran_wait) = work(insert(1));
        let (gives_up, mut gives_up_wait) = work(|db| {
            Ok(db
                .execute("INSERT OR ROLLBACK INTO t VALUES (1)", [])
                .map(drop)?)
        });
        let (rest, mut rest_wait) = work(insert(2));
        run(&db, [ran, gives_up, rest]);
        ran_wait.try_recv().unwrap().unwrap_err();
        gives_up_wait.try_recv().unwrap().unwrap_err();
        rest_wait.try_recv().unwrap().unwrap();
        assert_eq!(rows(&db), 1);
    }

    /// An operation that checks, when it is dropped after its answer, whether the transaction was
    /// over by then.
    struct Watch(
        std::sync::Arc<std::sync::atomic::AtomicBool>,
        std::path::PathBuf,
    );

    impl Work for Watch {
        fn run(&mut self, db: &Connection) -> bool {
            insert(1)(db).is_ok()
        }

        fn answer(self: Box<Self>) {
            let seen = rows(&Connection::open(&self.1).unwrap()) == 1;
            self.0.store(seen, std::sync::atomic::Ordering::SeqCst);
        }

        fn fail(self: Box<Self>, _why: &str) {}
    }

    #[test]
    fn what_is_answered_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(n INTEGER PRIMARY KEY) STRICT")
            .unwrap();
        let seen = std::sync::Arc::default();
        run(
            &db,
            [Box::new(Watch(std::sync::Arc::clone(&seen), path)) as Box<dyn Work>],
        );
        assert!(
            seen.load(std::sync::atomic::Ordering::SeqCst),
            "another connection did not see what was answered"
        );
    }

    /// An operation that releases the lock and queues another one as soon as it learns that the
    /// file is locked.
    struct Retry(Connection, SyncSender<Box<dyn Work>>, Box<dyn Work>);

    impl Work for Retry {
        fn run(&mut self, _db: &Connection) -> bool {
            panic!("the file is locked")
        }

        fn answer(self: Box<Self>) {}

        fn fail(self: Box<Self>, _why: &str) {
            self.0.execute_batch("ROLLBACK").unwrap();
            self.1.try_send(self.2).ok().unwrap();
        }
    }

    #[test]
    fn an_operation_that_comes_after_the_answer_of_a_locked_file_is_not_answered_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let (db, other) = (
            Connection::open(&path).unwrap(),
            Connection::open(&path).unwrap(),
        );
        db.execute_batch("CREATE TABLE t(n INTEGER PRIMARY KEY) STRICT")
            .unwrap();
        db.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (next, mut next_wait) = work(insert(1));
        let (behind, mut behind_wait) = work(insert(2));
        let (queue, queued) = sync_channel(8);
        queue
            .try_send(Box::new(Retry(other, queue.clone(), next)) as Box<dyn Work>)
            .ok()
            .unwrap();
        queue.try_send(behind).ok().unwrap();
        drop(queue);
        serve(&db, &queued);
        behind_wait.try_recv().unwrap().unwrap_err();
        next_wait.try_recv().unwrap().unwrap();
        assert_eq!(rows(&db), 1);
    }
}
