//! Reports problems of this node, once when each begins: a stale view, clocks that differ.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::event::{Emitter, Event, EventKind};
use crate::settings::Settings;
use crate::store::{Store, StoreError};

use super::clock::StoreClock;
use super::view::View;

/// The problems that were reported already.
#[derive(Debug)]
pub(crate) struct Alarms {
    settings: Arc<Settings>,
    store: Store,
    clock: Clock,
    time: Arc<StoreClock>,
    events: Emitter,
    view: Arc<View>,
    /// `true` once it was reported that the view is stale.
    is_stale: AtomicBool,
    /// `true` once it was reported that the clocks differ.
    is_off: AtomicBool,
    /// The tasks that panicked and have not yet run for a while.
    failing: Mutex<BTreeSet<&'static str>>,
}

impl Alarms {
    pub(super) fn new(
        settings: &Arc<Settings>,
        store: &Store,
        clock: &Clock,
        time: &Arc<StoreClock>,
        events: &Emitter,
        view: &Arc<View>,
    ) -> Self {
        Self {
            settings: Arc::clone(settings),
            store: store.clone(),
            clock: clock.clone(),
            time: Arc::clone(time),
            events: events.clone(),
            view: Arc::clone(view),
            is_stale: AtomicBool::new(false),
            is_off: AtomicBool::new(false),
            failing: Mutex::default(),
        }
    }

    /// Reports that a task panicked, once until it is well again.
    pub(crate) fn report_panic(&self, task: &'static str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = failing.insert(task);
        drop(failing);
        tracing::error!(task, "a background task panicked, and is started again");
        if is_first {
            self.events
                .emit(&Event::new(EventKind::TaskPanicked { task }));
        }
    }

    /// Notes that a task runs again.
    pub(crate) fn task_is_well(&self, task: &'static str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.remove(task);
    }

    /// Returns the tasks that panicked and have not yet run for a while.
    pub(crate) fn failing_tasks(&self) -> Vec<&'static str> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.iter().copied().collect()
    }

    /// Reports once when the view gets older than `revocation.stale_limit`, whatever the settings
    /// do about it.
    pub(crate) fn report_staleness(&self) {
        let age = self.view.age(self.clock.now());
        let is_stale = age > self.settings.revocation.stale_limit;
        if is_stale && !self.is_stale.load(Ordering::Relaxed) {
            self.events.emit(&Event::new(EventKind::ViewStale { age }));
        }
        self.is_stale.store(is_stale, Ordering::Relaxed);
    }

    /// Compares this machine's clock with the store's, and reports once when they differ by more
    /// than the leeway. If the store's clock cannot be read, the last measurement stays.
    pub(crate) async fn compare_clocks(&self) -> Result<(), StoreError> {
        self.time.measure(&self.store).await?;
        self.report_offset();
        Ok(())
    }

    /// Reports once when the clocks begin to differ by more than the leeway.
    pub(crate) fn report_offset(&self) {
        let (offset, ahead) = self.time.offset();
        let is_off = self.time.is_off(self.settings.leeway);
        if is_off && !self.is_off.swap(is_off, Ordering::Relaxed) {
            self.events
                .emit(&Event::new(EventKind::ClockOffset { offset, ahead }));
        }
        self.is_off.store(is_off, Ordering::Relaxed);
    }

    /// Passes the figures of this node to the recorder of metrics.
    #[cfg(feature = "metrics")]
    pub(super) fn report_figures(&self, dropped_confirmations: u64) {
        let (offset, ahead) = self.time.offset();
        let sign = if ahead == crate::event::Ahead::Store {
            1.0
        } else {
            -1.0
        };
        self.events.meter().read(crate::event::Reading {
            view_age: self.view.age(self.clock.now()),
            entries: self.view.len(),
            dropped_confirmations,
            dropped_events: self.events.dropped(),
            clock_offset: sign * offset.as_secs_f64(),
        });
    }
}
