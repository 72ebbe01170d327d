//! Watches the stored hashes that are checked: their cost, and how many of them cannot be read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Params;

use super::stored::{Recipe, Stored};
use crate::clock::Clock;
use crate::event::{Emitter, Event, EventKind, Hourly};

/// The record of the stored hashes that were checked; clones of a `Passwords` share it.
pub(super) struct Watch {
    own: Params,
    state: Mutex<WatchState>,
    reports: Hourly,
}

struct WatchState {
    /// The costliest parameters among the present ones and those that were seen.
    costliest: Params,
    /// The look-ups of this block, and of the one before.
    counts: [Counts; 2],
    /// The number of those that could not be read since the start.
    unreadable: u64,
    /// The handlers of events and the clock of the gate that was given the passwords.
    gate: Option<(Emitter, Clock)>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    looked_up: u64,
    unreadable: u64,
}

impl Watch {
    pub(super) fn new(own: Params) -> Self {
        Self {
            state: Mutex::new(WatchState {
                costliest: own.clone(),
                counts: [Counts::default(); 2],
                unreadable: 0,
                gate: None,
            }),
            own,
            reports: Hourly::new(),
        }
    }

    /// Sends further reports to a gate.
    pub(super) fn attach(&self, events: Emitter, clock: Clock) {
        self.state().gate = Some((events, clock));
    }

    /// Returns the parameters whose work is done for a password that is not right.
    pub(super) fn costliest(&self) -> Params {
        self.state().costliest.clone()
    }

    /// Notes a hash of argon2. One that is much costlier than the present parameters does not raise
    /// the cost for others, so that a single row does not make every sign-in as slow.
    pub(super) fn saw(&self, recipe: &Recipe) {
        let cost = cost(recipe.params());
        let mut state = self.state();
        state.count(false);
        if cost > self::cost(&state.costliest) && cost <= self::cost(&self.own) * MOST_TIMES {
            state.costliest = recipe.params().clone();
        }
    }

    /// Notes a stored text that is not a hash of argon2; `is_in_order` says whether it is allowed.
    pub(super) fn saw_other(&self, stored: &Stored, is_in_order: bool) {
        let gate = {
            let mut state = self.state();
            state.count(!is_in_order);
            state.gate.clone()
        };
        if is_in_order {
            return;
        }
        let clock = gate.as_ref().map(|(_, clock)| clock.clone());
        let now = clock.unwrap_or_else(Clock::system).now();
        // If the subject is not known, the text identifies the report, which keeps only a hash of
        // it.
        let about = stored.owner().unwrap_or(stored.as_str());
        if !self.reports.admits("password", about, now) {
            return;
        }
        let event = Event::new(EventKind::PasswordHashUnreadable);
        let event = match stored.owner() {
            Some(owner) => event.subject(owner),
            None => event,
        };
        match gate {
            Some((events, _)) => events.emit(&event),
            None => tracing::warn!("{event}"),
        }
    }

    /// Returns how many look-ups since the start found a hash that cannot be read.
    pub(super) fn unreadable(&self) -> u64 {
        self.state().unreadable
    }

    /// Returns whether more than one in a hundred of the last look-ups, 1 000 to 2 000 of them,
    /// found a hash that cannot be read.
    pub(super) fn is_degraded(&self) -> bool {
        let [this, last] = self.state().counts;
        (this.unreadable + last.unreadable) * 100 > this.looked_up + last.looked_up
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WatchState {
    fn count(&mut self, is_unreadable: bool) {
        let [this, last] = &mut self.counts;
        if this.looked_up >= BLOCK {
            *last = std::mem::take(this);
        }
        this.looked_up += 1;
        if is_unreadable {
            this.unreadable += 1;
            self.unreadable += 1;
        }
    }
}

/// Returns the work of an evaluation: KiB of memory times passes.
pub(super) fn cost(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

/// The number of look-ups that are counted together.
const BLOCK: u64 = 1000;
/// The greatest cost, as a multiple of the present parameters, that a stored hash may set for
/// others.
const MOST_TIMES: u64 = 4;
