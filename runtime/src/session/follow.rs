//! Follows the revocation log, and writes down what clients confirmed: the work of the gate's
//! tasks.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::store::{Fact, LogEntry, StoreError};

use super::Engine;

impl Engine {
    /// Reads what the log got since the last time. One reader at a time: whoever waits finds the
    /// work done, or the store not answering, and does not try in turn: on a node that is cut off,
    /// requests would wait for all those before them.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        let mut has_tried = false;
        let outcome = self.read_log(&mut has_tried).await;
        if has_tried && outcome.is_err() {
            self.failed_reads.fetch_add(1, Ordering::AcqRel);
        }
        outcome
    }

    async fn read_log(&self, has_tried: &mut bool) -> Result<(), StoreError> {
        let asked_at = self.clock.now();
        let failed_before = self.failed_reads.load(Ordering::Acquire);
        let mut cursor = self.cursor.lock().await;
        if self.failed_reads.load(Ordering::Acquire) != failed_before {
            return Err(StoreError::new("the log could not be read")
                .because("the one who tried meanwhile could not"));
        }
        *has_tried = true;
        // Taken after the lock: what was committed before is in the page.
        let now = self.clock.now().max(asked_at);
        let page = self
            .store
            .log_since(cursor.clone(), self.time.now())
            .await?;
        self.apply(&page.entries);
        #[cfg(feature = "metrics")]
        if *cursor != crate::store::LogCursor::START {
            self.measure_lag(&page.entries);
        }
        *cursor = page.cursor;
        self.view.completed(now);
        Ok(())
    }

    /// Waits until the log may have got something, at most so long, whatever the store does.
    pub(crate) async fn wait_for_news(&self, patience: Duration) -> Result<(), StoreError> {
        let cursor = self.cursor.lock().await.clone();
        let waited = tokio::time::timeout(
            patience.saturating_mul(2),
            self.store.changed(cursor, patience),
        );
        waited.await.unwrap_or(Ok(()))
    }

    /// How long ago the entries of a page were logged: each says until when it counts, which is a
    /// fixed span after that.
    #[cfg(feature = "metrics")]
    fn measure_lag(&self, entries: &[LogEntry]) {
        let until = self.log_until(self.time.now());
        for entry in entries
            .iter()
            .filter(|entry| entry.until < crate::clock::Timestamp::MAX)
        {
            self.events.meter().applied(until.since(entry.until));
        }
    }

    /// Tells how this node is doing.
    #[cfg(feature = "metrics")]
    pub(crate) fn report_figures(&self) {
        let (view_age, entries) = self.view_health();
        let (offset, ahead) = self.time.offset();
        let sign = if ahead == crate::event::Ahead::Store {
            1.0
        } else {
            -1.0
        };
        self.events.meter().read(crate::event::Reading {
            view_age,
            entries,
            dropped_confirmations: self.dropped_confirmations(),
            dropped_events: self.events.dropped(),
            clock_offset: sign * offset.as_secs_f64(),
        });
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

    /// Reads the ring again where the log told of a key: whoever retired it has put another in its
    /// place, and a node that went on signing with it would hand out dead tokens.
    pub(crate) async fn follow_ring(&self) -> Result<(), Error> {
        if self.is_ring_old.swap(false, Ordering::Relaxed)
            && let Err(error) = self.ring.reload().await
        {
            self.is_ring_old.store(true, Ordering::Relaxed);
            return Err(error);
        }
        Ok(())
    }

    /// Tells once when the view gets older than `revocation.stale_limit`, whatever the settings
    /// make of that.
    pub(crate) fn report_staleness(&self) {
        let age = self.view.age(self.clock.now());
        let is_stale = age > self.settings.revocation.stale_limit;
        if is_stale && !self.is_stale.load(Ordering::Relaxed) {
            self.events.emit(&Event::new(EventKind::ViewStale { age }));
        }
        self.is_stale.store(is_stale, Ordering::Relaxed);
    }

    /// Compares this machine's clock with the store's, and tells once when they differ by more than
    /// the leeway. Where the store's cannot be read, what was measured last counts on.
    pub(crate) async fn compare_clocks(&self) -> Result<(), StoreError> {
        self.time.measure(&self.store).await?;
        self.report_offset();
        Ok(())
    }

    /// Tells once when the clocks begin to differ by more than the leeway.
    pub(crate) fn report_offset(&self) {
        let (offset, ahead) = self.time.offset();
        let is_off = offset > self.settings.leeway;
        if is_off && !self.is_off.swap(is_off, Ordering::Relaxed) {
            self.events
                .emit(&Event::new(EventKind::ClockOffset { offset, ahead }));
        }
        self.is_off.store(is_off, Ordering::Relaxed);
    }

    /// Forgets revocations that no living token can meet.
    pub(crate) fn purge_view(&self) {
        self.view.purge(self.time.now());
    }

    /// Writes every confirmation that is waiting, ordered by session. What the store did not take
    /// is in `pending` for the next time.
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
            let batch: Vec<_> = pending
                .iter()
                .take(BATCH)
                .map(|(sid, generation)| (*sid, *generation))
                .collect();
            self.store.confirm(batch.clone(), self.time.now()).await?;
            for (sid, _) in batch {
                pending.remove(&sid);
            }
        }
        Ok(())
    }
}

const BATCH: usize = 1000;
