//! Notices, once for each rotation, that a client has received the new token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::id::SessionId;
use crate::store::{Store, StoreError};

use super::clock::StoreClock;

/// The fingerprints of the generations that were used last, and the channel to the task that writes
/// them down.
///
/// The table has a fixed size. If one fingerprint replaces another, the only effect is a second,
/// harmless write.
#[derive(Debug)]
pub(crate) struct Confirmations {
    seen: Box<[AtomicU64]>,
    queue: mpsc::Sender<(SessionId, u32)>,
    dropped: AtomicU64,
}

impl Confirmations {
    /// Makes the table, and the receiver for the task that writes.
    pub(crate) fn new() -> (Self, mpsc::Receiver<(SessionId, u32)>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let seen = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        (
            Self {
                seen,
                queue,
                dropped: AtomicU64::new(0),
            },
            receiver,
        )
    }

    /// Notes that a client used this generation. The first one has no predecessor, so it needs no
    /// confirmation.
    pub(crate) fn saw(&self, sid: SessionId, generation: u32) {
        if generation == 0 {
            return;
        }
        let (slot, fingerprint) = place(sid, generation);
        let Some(slot) = self.seen.get(slot) else {
            return;
        };
        if slot.load(Ordering::Relaxed) == fingerprint {
            return;
        }
        if self.queue.try_send((sid, generation)).is_ok() {
            slot.store(fingerprint, Ordering::Relaxed);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many times the queue was full. The only effect of each is that a client can ask
    /// for a lost answer for longer.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The confirmations that the store has not recorded yet.
pub(crate) struct Unwritten {
    queue: mpsc::Receiver<(SessionId, u32)>,
    pending: BTreeMap<SessionId, u32>,
    store: Store,
    time: Arc<StoreClock>,
}

impl Unwritten {
    pub(super) fn new(
        queue: mpsc::Receiver<(SessionId, u32)>,
        store: &Store,
        time: &Arc<StoreClock>,
    ) -> Self {
        Self {
            queue,
            pending: BTreeMap::new(),
            store: store.clone(),
            time: Arc::clone(time),
        }
    }

    /// Writes every confirmation that is waiting, ordered by session. Those that the store did not
    /// record wait for the next call.
    pub(crate) async fn write(&mut self) -> Result<(), StoreError> {
        while let Ok((sid, generation)) = self.queue.try_recv() {
            let known = self.pending.entry(sid).or_default();
            *known = generation.max(*known);
        }
        while !self.pending.is_empty() {
            let batch: Vec<_> = self
                .pending
                .iter()
                .take(BATCH)
                .map(|(sid, generation)| (*sid, *generation))
                .collect();
            self.store.confirm(batch.clone(), self.time.now()).await?;
            for (sid, _) in batch {
                self.pending.remove(&sid);
            }
        }
        Ok(())
    }
}

/// Returns the place and the fingerprint of a generation. A session id is random, so its own bytes
/// distribute it.
fn place(sid: SessionId, generation: u32) -> (usize, u64) {
    let bytes = sid.as_bytes();
    let (low, high) = bytes.split_at(8);
    let word = |half: &[u8]| {
        half.iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    let slot = usize::try_from(word(low) % SLOTS as u64).unwrap_or(0);
    let mark = word(high) ^ (u64::from(generation) << 32 | u64::from(generation)).rotate_left(17);
    (slot, mark | 1)
}

const BATCH: usize = 1000;
const SLOTS: usize = 1 << 16;
const QUEUE: usize = 1 << 14;
