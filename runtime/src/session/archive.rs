//! Deletes rows that have ended and are not needed any more.

use crate::clock::Timestamp;
use crate::store::{Archived, Store, StoreError};

use super::clock::StoreClock;

/// Deletes rows that ended before `before`, in batches, between which other operations can run.
pub(super) async fn run(
    store: &Store,
    time: &StoreClock,
    before: Timestamp,
    mut tell: impl FnMut(&Archived) + Send,
) -> Result<Archived, StoreError> {
    let mut total = Archived::default();
    loop {
        let batch = store.archive(before, BATCH, time.earlier()).await?;
        total.sessions += batch.sessions;
        total.tokens += batch.tokens;
        total.others += batch.others;
        tell(&total);
        if !batch.more {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}

const BATCH: u32 = 500;
