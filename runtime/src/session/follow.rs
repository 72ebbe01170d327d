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
    /// How often the log could not be read.
    failed_reads: AtomicU64,
    /// Whether the log told of a key since the ring was read.
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

    /// Reads what the log got since the last time. There is one reader at a time: a caller who
    /// waited finds the work done, or the store not answering, and does not try in turn. On a node
    /// that is cut off, requests would otherwise wait for all those before them.
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
        // Others wait for the cursor's lock. The first page, for which nobody waits, may be long.
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

    /// Waits until the log may have got something, at most for `timeout`, whatever the store does.
    pub(crate) async fn wait_for_news(&self, timeout: Duration) -> Result<(), StoreError> {
        let cursor = self.cursor.lock().await.clone();
        let waited = tokio::time::timeout(
            timeout.saturating_mul(2),
            self.store.changed(cursor, timeout),
        );
        waited.await.unwrap_or(Ok(()))
    }

    /// Measures how long ago the entries of a page were logged: each says until when it counts,
    /// which is a fixed span after that. The end of a token alone counts until that has expired.
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

    /// Takes entries into the view of this node.
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

    /// Reads the ring again where the log told of a key: another key is in its place, and a node
    /// that went on signing with it would hand out dead tokens.
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
