//! The time of store calls: this machine's, moved by what the store's clock is ahead of it or
//! behind (ROTATION 6).
//!
//! It never touches `iat`, `exp` and `nbf`, which other machines compare with their own clocks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::event::Ahead;
use crate::store::{Store, StoreError};

/// A clock that goes as the store's does, as far as that is known. It never goes back.
#[derive(Debug)]
pub(crate) struct StoreClock {
    clock: Clock,
    /// Whether the store has a clock of its own, which was read.
    corrects: AtomicBool,
    /// How many milliseconds the store's clock is ahead.
    offset: AtomicI64,
    /// The latest time that was told, in milliseconds.
    latest: AtomicU64,
}

impl StoreClock {
    /// The machine's own until it is [measured](Self::measure).
    pub(crate) const fn new(clock: Clock) -> Self {
        Self {
            clock,
            corrects: AtomicBool::new(false),
            offset: AtomicI64::new(0),
            latest: AtomicU64::new(0),
        }
    }

    /// The time for a store call.
    pub(crate) fn now(&self) -> Timestamp {
        let here = self.clock.now();
        if !self.corrects.load(Ordering::Acquire) {
            return here;
        }
        let now = here
            .shifted(self.offset.load(Ordering::Acquire))
            .as_millis();
        Timestamp::from_millis(self.latest.fetch_max(now, Ordering::AcqRel).max(now))
    }

    /// A time of the store as this machine's clock shows it: for what is written into a token.
    pub(crate) fn to_local(&self, at: Timestamp) -> Timestamp {
        if at == Timestamp::MAX {
            at
        } else {
            at.shifted(self.offset.load(Ordering::Acquire).saturating_neg())
        }
    }

    /// By how much the clocks differ, and which is ahead.
    pub(crate) fn offset(&self) -> (Duration, Ahead) {
        let offset = self.offset.load(Ordering::Acquire);
        (
            Duration::from_millis(offset.unsigned_abs()),
            if offset < 0 {
                Ahead::Machine
            } else {
                Ahead::Store
            },
        )
    }

    /// Reads the store's clock three times and takes the median, each time as if it had been read
    /// half-way through the round trip. A store without a clock of its own leaves everything as it
    /// is, and so does a clock that a test moves.
    pub(crate) async fn measure(&self, store: &Store) -> Result<(), StoreError> {
        if !self.clock.runs() {
            return Ok(());
        }
        let mut seen = [0; 3];
        for offset in &mut seen {
            let asked = self.clock.now().as_millis();
            let Some(there) = store.now().await? else {
                return Ok(());
            };
            let answered = self.clock.now().as_millis();
            let half_way = asked.saturating_add(answered.saturating_sub(asked) / 2);
            *offset = i64::try_from(there.as_millis()).unwrap_or(i64::MAX)
                - i64::try_from(half_way).unwrap_or(i64::MAX);
        }
        seen.sort_unstable();
        let [_, median, _] = seen;
        self.offset.store(median, Ordering::Release);
        self.corrects.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_store_calls_never_goes_back() {
        let time = StoreClock::new(Clock::system());
        time.corrects.store(true, Ordering::SeqCst);
        time.offset.store(60_000, Ordering::SeqCst);
        let before = time.now();
        time.offset.store(-60_000, Ordering::SeqCst);
        assert_eq!(time.now(), before);
        time.offset.store(120_000, Ordering::SeqCst);
        assert!(time.now() >= before.plus(Duration::from_secs(60)));
    }

    #[test]
    fn a_time_of_the_store_is_shown_by_this_machines_clock() {
        let time = StoreClock::new(Clock::system());
        time.offset.store(-30_000, Ordering::SeqCst);
        assert_eq!(
            time.to_local(Timestamp::from_secs(100)),
            Timestamp::from_secs(130)
        );
        assert_eq!(time.to_local(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(time.offset(), (Duration::from_secs(30), Ahead::Machine));
    }
}
