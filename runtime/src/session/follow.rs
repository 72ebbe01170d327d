//! Follows the revocation log of the store, so that this node's view is complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::error::Error;
use crate::event::Emitter;
use crate::keys::KeyRing;
use crate::settings::Settings;
use crate::store::{Fact, LogCursor, LogEntry, Store, StoreError, StoreOperation};

use super::clock::StoreClock;
use super::view::View;

/// The reader of the log.
#[derive(Debug)]
pub(crate) struct Follower {
    #[cfg_attr(
        not(feature = "metrics"),
        allow(dead_code, reason = "the lag is a metric")
    )]
    settings: Arc<Settings>,
    store: Store,
    ring: KeyRing,
    clock: Clock,
    time: Arc<StoreClock>,
    #[cfg_attr(
        not(feature = "metrics"),
        allow(dead_code, reason = "the lag is a metric")
    )]
    events: Emitter,
    view: Arc<View>,
    cursor: Mutex<LogCursor>,
    /// The number of times that the log could not be read.
    failed_reads: AtomicU64,
    /// `true` if the log has named a key since the ring was read.
    is_ring_old: AtomicBool,
}

impl Follower {
    pub(super) fn new(
        settings: &Arc<Settings>,
        store: &Store,
        ring: &KeyRing,
        clock: &Clock,
        time: &Arc<StoreClock>,
        events: &Emitter,
        view: &Arc<View>,
    ) -> Self {
        Self {
            settings: Arc::clone(settings),
            store: store.clone(),
            ring: ring.clone(),
            clock: clock.clone(),
            time: Arc::clone(time),
            events: events.clone(),
            view: Arc::clone(view),
            cursor: Mutex::default(),
            failed_reads: AtomicU64::new(0),
            is_ring_old: AtomicBool::new(false),
        }
    }

    /// Reads the entries of the log since the last time. There is one reader at a time: a caller
    /// who waited for it uses its result, even if the store did not answer, and does not try
    /// again. On a node without a connection, requests would otherwise wait for all those before
    /// them.
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
        // The time is read after the lock was taken: entries that were committed before it are in
        // the page.
        let now = self.clock.now().max(asked_at);
        // Other callers wait for the lock of the cursor. No caller waits for the first page, so
        // that one may take long.
        let deadline = if *cursor == LogCursor::START {
            FIRST_DEADLINE
        } else {
            DEADLINE
        };
        let page = self.store.log_since(cursor.clone(), self.time.earlier());
        let page = tokio::time::timeout(deadline, page)
            .await
            .map_err(|_| StoreOperation::LogSince.failed("there was no answer in time"))??;
        self.apply(&page.entries);
        #[cfg(feature = "metrics")]
        if *cursor != LogCursor::START {
            self.measure_lag(&page.entries);
        }
        *cursor = page.cursor;
        self.view.completed(now);
        Ok(())
    }

    /// Waits until the log may have new entries, for at most `timeout`, whatever the store does.
    pub(crate) async fn wait_for_news(&self, timeout: Duration) -> Result<(), StoreError> {
        let cursor = self.cursor.lock().await.clone();
        let waited = tokio::time::timeout(
            timeout.saturating_mul(2),
            self.store.changed(cursor, timeout),
        );
        waited.await.unwrap_or(Ok(()))
    }

    /// Measures how long ago the entries of a page were logged: each has the time until which it
    /// matters, which is a fixed span later. Entries about a single token are left out, because
    /// they matter until that token has expired.
    #[cfg(feature = "metrics")]
    fn measure_lag(&self, entries: &[LogEntry]) {
        let until = super::view::log_until(&self.settings, self.time.now());
        for entry in entries
            .iter()
            .filter(|entry| entry.until < crate::clock::Timestamp::MAX)
            .filter(|entry| !matches!(entry.fact, Fact::Token(_)))
        {
            self.events.meter().applied(until.since(entry.until));
        }
    }

    /// Adds entries to the view of this node.
    pub(super) fn apply(&self, entries: &[LogEntry]) {
        for entry in entries {
            self.view.apply(entry);
            if matches!(entry.fact, Fact::Key(_)) {
                self.is_ring_old.store(true, Ordering::Relaxed);
            }
        }
        #[cfg(feature = "axum")]
        if !entries.is_empty() {
            self.view.mark();
        }
        self.view.keep_filter();
    }

    /// Reads the ring again after the log named a key: another key has replaced it, and a node that
    /// went on signing with the old one would issue invalid tokens.
    pub(crate) async fn follow_ring(&self) -> Result<(), Error> {
        if self.is_ring_old.swap(false, Ordering::Relaxed)
            && let Err(error) = self.ring.reload().await
        {
            self.is_ring_old.store(true, Ordering::Relaxed);
            return Err(error);
        }
        Ok(())
    }
}

/// The time that the store may take for a page of the log.
const DEADLINE: Duration = Duration::from_secs(2);
/// The time that it may take for the first page, which has everything.
const FIRST_DEADLINE: Duration = Duration::from_secs(60);
