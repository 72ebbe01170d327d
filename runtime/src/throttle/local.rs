//! Counters in this process, with a bound on their memory.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::store::Limit;

/// A budget for each key, by the generic cell rate algorithm.
///
/// Keys are told apart by 63 bits of a hash with a random seed. Where more keys are in use than the
/// bound allows, further ones share the budgets of a few thousand places: memory stays bounded, and
/// all attempts are counted.
pub(super) struct LocalCounter {
    limiter: RateLimiter<u64, DashMapStateStore<u64>, Ticks, NoOpMiddleware<Duration>>,
    seed: RandomState,
    most: usize,
    calls: AtomicU32,
    is_full: AtomicBool,
}

impl LocalCounter {
    pub(super) fn new(limit: Limit, keys: u32, clock: &Clock) -> Self {
        let burst = NonZeroU32::new(limit.burst).unwrap_or(NonZeroU32::MIN);
        let every = (limit.period / burst.get()).max(Duration::from_nanos(1));
        // A period of zero is what it answers `None` for.
        let quota = Quota::with_period(every)
            .unwrap_or(Quota::per_second(burst))
            .allow_burst(burst);
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, Ticks(clock.clone())),
            seed: RandomState::new(),
            most: usize::try_from(keys).unwrap_or(usize::MAX),
            calls: AtomicU32::new(0),
            is_full: AtomicBool::new(false),
        }
    }

    /// Spends from the budget of a key, or answers how long to wait.
    pub(super) fn spend(&self, key: &str) -> Option<Duration> {
        if self
            .calls
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(TIDY)
        {
            self.tidy();
        }
        let hash = self.seed.hash_one(key);
        let place = if self.is_full.load(Ordering::Relaxed) {
            hash % SHARED
        } else {
            hash | APART
        };
        let refused = self.limiter.check_key(&place).err()?;
        Some(
            refused
                .wait_time_from(self.limiter.clock().now())
                .max(Duration::from_millis(1)),
        )
    }

    /// Forgets budgets that are full again, where there are too many.
    fn tidy(&self) {
        if self.limiter.len() >= self.most {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.is_full
            .store(self.limiter.len() >= self.most, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// The gate's clock as the limiter reads it: the time since 1970.
#[derive(Clone)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().as_millis())
    }
}

/// After how many calls full budgets are forgotten.
const TIDY: u32 = 256;
/// How many budgets the keys above the bound share.
const SHARED: u64 = 4096;
/// The bit that keeps the other keys apart from these budgets.
const APART: u64 = 1 << 63;
