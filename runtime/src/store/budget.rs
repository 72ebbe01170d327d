//! The arithmetic of [`Limit`]: the generic cell rate algorithm, exact in integers.

use std::time::Duration;

use super::Limit;
use crate::clock::Timestamp;

/// When a budget is full again: whole milliseconds since 1970, and a fraction of one, counted in
/// `burst`-ths.
///
/// One unit of cost takes `period / burst`, which is seldom a whole number of milliseconds.
/// Counting the fraction in `burst`-ths keeps it exact, so nothing drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) full_at: Timestamp,
    pub(super) fraction: u32,
}

impl Budget {
    /// What the budget is after spending, or how long to wait until the same cost would be allowed.
    pub(super) fn spend(self, cost: u32, rate: Rate, now: Timestamp) -> Result<Self, Duration> {
        let (burst, period) = (u128::from(rate.burst), u128::from(rate.period));
        let scaled = |at: Timestamp| u128::from(at.as_millis()) * burst;

        let full_at = (scaled(self.full_at) + u128::from(self.fraction)).max(scaled(now));
        let spent = full_at + u128::from(cost) * period;
        let latest = scaled(now) + period * burst;
        if spent > latest {
            return Err(Duration::from_millis(whole(
                (spent - latest).div_ceil(burst),
            )));
        }
        let fraction = u32::try_from(spent % burst).unwrap_or(u32::MAX);
        Ok(Self {
            full_at: Timestamp::from_millis(whole(spent / burst)),
            fraction,
        })
    }
}

/// A [`Limit`] in whole milliseconds, neither part zero. A key has a budget for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rate {
    pub(super) burst: u32,
    pub(super) period: u64,
}

impl Rate {
    /// The limits without repetitions, so that no budget is spent from twice.
    pub(super) fn distinct(limits: &[Limit]) -> Vec<Self> {
        let mut rates = Vec::with_capacity(limits.len());
        for limit in limits {
            let period = whole(limit.period.as_millis()).clamp(1, Timestamp::MAX.as_millis());
            let rate = Self {
                burst: limit.burst.max(1),
                period,
            };
            if !rates.contains(&rate) {
                rates.push(rate);
            }
        }
        rates
    }
}

fn whole(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
