//! Metrics, for the recorder that the program has installed (feature `metrics`; the page
//! `metrics`).
//!
//! Every series has the labels `issuer` and `realm` (empty in the default realm), so that two gates
//! of one process do not write over each other; the other labels have a handful of values each.
//! Nothing names a subject, a session or a token.

use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::{Event, EventKind, Outcome};
use crate::realm::RealmName;

/// Writes the metrics of a gate. Clones write the same series.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    issuer: Arc<str>,
    realm: Arc<str>,
}

/// The values that are written from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) view_age: Duration,
    pub(crate) entries: usize,
    pub(crate) dropped_confirmations: u64,
    pub(crate) dropped_events: u64,
    /// The offset of the store's clock in seconds; more than zero where it is ahead.
    pub(crate) clock_offset: f64,
}

impl Meter {
    /// Describes the series, and begins to write them under a gate's issuer and realm.
    pub(crate) fn new(issuer: &str, realm: Option<&RealmName>) -> Self {
        describe_counter!(EVENTS, "What happened: see `tollgate::event::EventKind`.");
        describe_counter!(
            DROPPED_EVENTS,
            "Events that a queued handler did not get: its queue was full, or the gate was shut down."
        );
        describe_counter!(
            DROPPED_CONFIRMATIONS,
            "Confirmations that found their queue full: lost answers stay forgivable longer."
        );
        describe_counter!(
            THROTTLE_FULL,
            "Attempts for which a counter of this node had no room: see `throttle.keys`."
        );
        describe_gauge!(
            VIEW_AGE,
            Unit::Seconds,
            "How long ago this node knew every revocation."
        );
        describe_gauge!(
            ENTRIES,
            Unit::Count,
            "How many revocations this node remembers."
        );
        describe_gauge!(
            CLOCK_OFFSET,
            Unit::Seconds,
            "By how much the store's clock is ahead of this machine's."
        );
        describe_histogram!(
            APPLY_LAG,
            Unit::Seconds,
            "How long after a revocation this node read it in the log."
        );
        let meter = Self {
            issuer: issuer.into(),
            realm: realm.map_or("", RealmName::as_str).into(),
        };
        // A series that begins with its first alarm has no increase, so no alert would fire.
        for (name, outcome) in EventKind::NAMES {
            if *outcome == Outcome::Alarm {
                meter.events(name, *outcome).increment(0);
            }
        }
        meter
    }

    pub(crate) fn event(&self, event: &Event) {
        self.events(event.kind.name(), event.kind.outcome())
            .increment(1);
    }

    /// Returns the counter of the events of a name and an outcome.
    fn events(&self, name: &'static str, outcome: Outcome) -> Counter {
        let (issuer, realm) = (Arc::clone(&self.issuer), Arc::clone(&self.realm));
        counter!(EVENTS, "issuer" => issuer, "realm" => realm, "event" => name, "outcome" => outcome.as_str())
    }

    pub(crate) fn read(&self, reading: Reading) {
        gauge!(VIEW_AGE, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm))
            .set(reading.view_age.as_secs_f64());
        gauge!(ENTRIES, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm))
            .set(u32::try_from(reading.entries).unwrap_or(u32::MAX));
        gauge!(CLOCK_OFFSET, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm)).set(reading.clock_offset);
        counter!(DROPPED_EVENTS, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm)).absolute(reading.dropped_events);
        counter!(DROPPED_CONFIRMATIONS, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm))
            .absolute(reading.dropped_confirmations);
    }

    /// Counts an attempt for which a counter of the throttle had no room.
    pub(crate) fn throttle_full(&self, budget: &'static str, is_shared: bool) {
        self.full(budget, is_shared).increment(1);
    }

    /// Begins to count the attempts for which the counter of a budget has no room.
    pub(crate) fn begin_throttle(&self, budget: &'static str) {
        self.full(budget, false).increment(0);
        self.full(budget, true).increment(0);
    }

    fn full(&self, budget: &'static str, is_shared: bool) -> Counter {
        let shared = if is_shared { "yes" } else { "no" };
        let (issuer, realm) = (Arc::clone(&self.issuer), Arc::clone(&self.realm));
        counter!(THROTTLE_FULL, "issuer" => issuer, "realm" => realm, "budget" => budget, "shared" => shared)
    }

    pub(crate) fn applied(&self, lag: Duration) {
        histogram!(APPLY_LAG, "issuer" => Arc::clone(&self.issuer), "realm" => Arc::clone(&self.realm)).record(lag.as_secs_f64());
    }
}

const EVENTS: &str = "tollgate_events_total";
const DROPPED_EVENTS: &str = "tollgate_dropped_events_total";
const DROPPED_CONFIRMATIONS: &str = "tollgate_dropped_confirmations_total";
const THROTTLE_FULL: &str = "tollgate_throttle_full_total";
const VIEW_AGE: &str = "tollgate_revocation_view_age_seconds";
const ENTRIES: &str = "tollgate_revocation_entries";
const CLOCK_OFFSET: &str = "tollgate_clock_offset_seconds";
const APPLY_LAG: &str = "tollgate_revocation_apply_lag_seconds";
