//! Deletes what has ended and is not needed any more.

use crate::clock::Timestamp;
use crate::store::{Archived, StoreError};

use super::Engine;

impl Engine {
    /// Deletes what ended before `before`, in batches between which others get their turn.
    pub(crate) async fn archive(&self, before: Timestamp) -> Result<Archived, StoreError> {
        let mut total = Archived::default();
        loop {
            let batch = self.store.archive(before, BATCH, self.time.now()).await?;
            total.sessions += batch.sessions;
            total.tokens += batch.tokens;
            total.others += batch.others;
            if !batch.more {
                return Ok(total);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The work of the gate's archiver: what ended longer ago than `archive.age`.
    pub(crate) async fn archive_by_age(&self) -> Result<Archived, StoreError> {
        self.archive(self.time.now().minus(self.settings.archive.age))
            .await
    }
}

const BATCH: u32 = 500;
