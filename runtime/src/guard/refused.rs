//! Refused tokens: counted by reason, and reported to operators at a limited rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::event::{Emitter, Event, EventKind};
use crate::token::{Fault, TokenFault};

/// The refused tokens of one guard, or those of a router that no guard is for.
#[derive(Debug, Default)]
pub(super) struct Refused {
    counts: [AtomicU64; TokenFault::ALL.len()],
    /// The time of the last report, in milliseconds since 1970.
    told_at: AtomicU64,
}

impl Refused {
    /// Counts a refused token, and reports it unless another was reported less than a second ago.
    pub(super) fn report(
        &self,
        guard: Option<&Arc<str>>,
        fault: &Fault,
        events: &Emitter,
        now: Timestamp,
    ) {
        let Fault { reason, detail } = fault;
        if let Some(count) = self.counts.get(*reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if !self.is_told(now) {
            return;
        }
        let name = guard.map_or("", |guard| &**guard);
        tracing::debug!(guard = name, %reason, "a token of another issuer was refused: {detail}");
        events.emit(&Event::new(EventKind::ForeignTokenRefused {
            guard: guard.map(ToString::to_string),
            reason: reason.as_str(),
        }));
    }

    /// Returns whether this token is reported: at most one a second is.
    fn is_told(&self, now: Timestamp) -> bool {
        let (now, last) = (now.as_millis(), self.told_at.load(Ordering::Relaxed));
        // If the clock was set back, reports go on.
        let is_early = last <= now && now - last < PAUSE_MILLIS;
        !is_early
            && self
                .told_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Returns how many were refused, by reason; reasons without a token are left out.
    pub(super) fn counts(&self) -> Vec<(TokenFault, u64)> {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let by_reason = TokenFault::ALL.into_iter().zip(counts);
        by_reason.filter(|(_, count)| *count > 0).collect()
    }
}

/// The time after a report during which no other is made.
const PAUSE_MILLIS: u64 = 1000;
