//! The time for store calls: this machine's, corrected by the difference to the store's clock
//! (rotation.md section 6).
//!
//! It never changes `iat`, `exp` and `nbf`, which other machines compare with their own clocks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::event::Ahead;
use crate::store::{Store, StoreError};

/// A clock that follows the store's, as far as that is known. It never goes back.
#[derive(Debug)]
pub(crate) struct StoreClock {
    clock: Clock,
    /// `true` if the store has a clock of its own, which was read.
    corrects: AtomicBool,
    /// The time by which the store's clock is ahead, in milliseconds.
    offset: AtomicI64,
    /// The latest time that was returned, in milliseconds.
    latest: AtomicU64,
}

impl StoreClock {
    /// Makes a clock that shows the machine's own time until it is [measured](Self::measure).
    pub(crate) const fn new(clock: Clock) -> Self {
        Self {
            clock,
            corrects: AtomicBool::new(false),
            offset: AtomicI64::new(0),
            latest: AtomicU64::new(0),
        }
    }

    /// Returns a clock that found the store's ahead by so many milliseconds.
    #[cfg(all(test, feature = "cli"))]
    pub(crate) fn measured(clock: Clock, offset: i64) -> Self {
        let time = Self::new(clock);
        time.offset.store(offset, Ordering::Release);
        time.corrects.store(true, Ordering::Release);
        time
    }

    /// Returns the time for a store call.
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

    /// Returns the earlier of the two clocks' times: with it nothing is deleted too early.
    pub(crate) fn earlier(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::Acquire);
        self.clock.now().shifted(offset.min(0))
    }

    /// Returns the later of the two clocks' times where this machine's shows `here`: a token that
    /// has expired by either has expired. It is a single read of memory, because each request needs
    /// it.
    pub(crate) fn later(&self, here: Timestamp) -> Timestamp {
        here.shifted(self.offset.load(Ordering::Acquire).max(0))
    }

    /// Returns whether the clocks differ by more than the leeway, which every comparison allows
    /// for. Differences up to a second may come from the measurement.
    pub(crate) fn is_off(&self, leeway: Duration) -> bool {
        self.offset().0 > leeway.max(MEASURED)
    }

    /// Returns a time of the store as this machine's clock shows it: for times that are written
    /// into a token.
    pub(crate) fn to_local(&self, at: Timestamp) -> Timestamp {
        if at == Timestamp::MAX {
            at
        } else {
            at.shifted(self.offset.load(Ordering::Acquire).saturating_neg())
        }
    }

    /// Returns the difference of the clocks, and which of them is ahead.
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

    /// Reads the store's clock three times and takes the median; each reading is assumed to be
    /// half-way through the round trip. A store without a clock of its own changes nothing, and
    /// neither does a clock that a test moves.
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

/// The largest difference between two clocks that the measurement itself may cause.
const MEASURED: Duration = Duration::from_secs(1);

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

    #[test]
    fn of_two_clocks_the_earlier_forgets_and_the_later_expires() {
        let here = Timestamp::from_secs(1000);
        for (offset, earlier, later) in [(18, 1000, 1018), (-18, 982, 1000), (0, 1000, 1000)] {
            let time = StoreClock::new(Clock::manual(here));
            time.offset.store(offset * 1000, Ordering::SeqCst);
            assert_eq!(time.earlier(), Timestamp::from_secs(earlier));
            assert_eq!(time.later(here), Timestamp::from_secs(later));
        }
    }

    #[test]
    fn a_clock_is_off_above_the_leeway_and_above_what_measuring_costs() {
        let time = StoreClock::new(Clock::system());
        for (millis, leeway, is_off) in [
            (20_000, 20, false),
            (20_001, 20, true),
            (-20_001, 20, true),
            (-900, 0, false),
            (1001, 0, true),
        ] {
            time.offset.store(millis, Ordering::SeqCst);
            assert_eq!(
                time.is_off(Duration::from_secs(leeway)),
                is_off,
                "{millis} ms with a leeway of {leeway} s"
            );
        }
    }
}
