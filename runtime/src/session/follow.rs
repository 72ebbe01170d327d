//! Follows the revocation log, and writes down what clients confirmed: the work of the gate's tasks.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::store::{Fact, LogEntry, StoreError};

use super::Engine;

impl Engine {
    /// Reads what the log got since the last time. One reader at a time: whoever waits finds the work done.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        let asked_at = self.clock.now();
        let mut cursor = self.cursor.lock().await;
        // Taken after the lock: what was committed before is in the page.
        let now = self.clock.now().max(asked_at);
        let page = self.store.log_since(cursor.clone(), now).await?;
        self.apply(&page.entries);
        *cursor = page.cursor;
        self.view.completed(now);
        Ok(())
    }

    /// Takes entries into the view of this node.
    pub(super) fn apply(&self, entries: &[LogEntry]) {
        for entry in entries {
            self.view.apply(entry);
            if matches!(entry.fact, Fact::Key(_)) {
                self.is_ring_old.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Reads the ring again where the log told of a key: whoever retired it has put another in its place, and a node that went on
    /// signing with it would hand out dead tokens.
    pub(crate) async fn follow_ring(&self) -> Result<(), Error> {
        if self.is_ring_old.swap(false, Ordering::Relaxed)
            && let Err(error) = self.ring.reload().await
        {
            self.is_ring_old.store(true, Ordering::Relaxed);
            return Err(error);
        }
        Ok(())
    }

    /// Tells once when the view gets older than `revocation.stale_limit`, whatever the settings make of that.
    pub(crate) fn tell_of_staleness(&self) {
        let age = self.view.age(self.clock.now());
        let is_stale = age > self.settings.revocation.stale_limit;
        if is_stale && !self.is_stale.load(Ordering::Relaxed) {
            self.events.emit(&Event::new(EventKind::ViewStale { age }));
        }
        self.is_stale.store(is_stale, Ordering::Relaxed);
    }

    /// Forgets revocations that no living token can meet.
    pub(crate) fn purge_view(&self) {
        self.view.purge(self.clock.now());
    }

    /// Writes every confirmation that is waiting, ordered by session. What the store did not take is in `pending` for the next time.
    pub(crate) async fn write_confirmations(
        &self,
        queue: &mut mpsc::Receiver<(SessionId, u32)>,
        pending: &mut BTreeMap<SessionId, u32>,
    ) -> Result<(), StoreError> {
        while let Ok((sid, generation)) = queue.try_recv() {
            let known = pending.entry(sid).or_default();
            *known = generation.max(*known);
        }
        while !pending.is_empty() {
            let batch: Vec<_> = pending.iter().take(BATCH).map(|(sid, generation)| (*sid, *generation)).collect();
            self.store.confirm(batch.clone(), self.clock.now()).await?;
            for (sid, _) in batch {
                pending.remove(&sid);
            }
        }
        Ok(())
    }
}

const BATCH: usize = 1000;
