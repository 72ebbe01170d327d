//! The readers: threads with connections of their own, which see what is committed.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::write::{attempt, unqueued};
use crate::store::record::StoreError;
use crate::store::shared::operation::{Cause, StoreOperation};

/// The queue of the reading threads, which they share.
pub(super) struct Readers(pub(super) SyncSender<ReadOperation>);

/// An operation that only reads.
pub(super) type ReadOperation = Box<dyn FnOnce(&Connection) + Send>;

impl Readers {
    /// Queues an operation and waits for its answer. It runs in one read transaction.
    pub(super) async fn run<T, F>(&self, operation: StoreOperation, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued: ReadOperation = Box::new(move |db| {
            if !answer.is_closed() {
                // The caller may be gone.
                let _ = answer.send(attempt(operation, |db| in_snapshot(db, run), db));
            }
        });
        self.0
            .try_send(queued)
            .map_err(|error| unqueued(operation, &error))?;
        answered
            .await
            .unwrap_or_else(|_| Err(operation.failed("the reading thread is gone")))
    }
}

/// Serves the queue until its last sender is gone.
pub(super) fn serve(db: &Connection, queue: &Arc<Mutex<Receiver<ReadOperation>>>) {
    loop {
        // The lock is held while waiting, by one reader at a time, but not while it reads.
        let operation = queue.lock().map(|queue| queue.recv());
        let Ok(Ok(run)) = operation else { return };
        run(db);
    }
}

/// Runs an operation whose statements all see the same state: that of the first one.
fn in_snapshot<T>(
    db: &Connection,
    run: impl FnOnce(&Connection) -> Result<T, Cause>,
) -> Result<T, Cause> {
    let snapshot = db.unchecked_transaction()?;
    let found = run(&snapshot)?;
    snapshot.commit()?;
    Ok(found)
}
