//! The arithmetic of [`Limit`]: the generic cell rate algorithm, exact in integers.

use std::time::Duration;

use super::record::{Limit, Spent};
use crate::clock::Timestamp;

/// The state of a budget, as a store keeps it: the time at which it is full again, in whole
/// milliseconds since 1970 and a fraction of one, counted in `burst`-ths. A budget without a state
/// is full.
///
/// One unit of cost takes `period / burst`, which is rarely a whole number of milliseconds.
/// Counting the fraction in `burst`-ths keeps it exact, so no error adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BudgetState {
    /// The time at which it is full again.
    pub(crate) full_at: Timestamp,
    /// The fraction that is added to it, in `burst`-ths of a millisecond.
    pub(crate) fraction: u32,
}

/// A [`Limit`] in whole milliseconds, neither part zero. A key has a budget for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BudgetRate {
    /// The amount that may be spent at once.
    pub(crate) burst: u32,
    /// The time that an empty budget takes to be full again, in milliseconds.
    pub(crate) period: u64,
}

impl BudgetState {
    /// Spends `cost` under every limit, or under none of them. Returns the answer of
    /// [`spend`](crate::store::SessionStore::spend) and the budgets to be written, which are empty
    /// where nothing was spent.
    ///
    /// `read` reads the budget of a key for a limit. Reading and writing have to be one
    /// transaction.
    ///
    /// # Errors
    /// The errors of `read`.
    pub(crate) fn spend<E>(
        limits: &[Limit],
        cost: u32,
        now: Timestamp,
        mut read: impl FnMut(BudgetRate) -> Result<Option<Self>, E>,
    ) -> Result<(Spent, Vec<(BudgetRate, Self)>), E> {
        let mut spent = Vec::with_capacity(limits.len());
        let mut refused = None;
        for rate in BudgetRate::distinct(limits) {
            let budget = read(rate)?.unwrap_or_default();
            match budget.after(cost, rate, now) {
                Ok(budget) => spent.push((rate, budget)),
                Err(wait) => refused = refused.max(Some(wait)),
            }
        }
        Ok(match refused {
            Some(retry_after) => (Spent::Refused { retry_after }, Vec::new()),
            None => (Spent::Allowed, spent),
        })
    }

    /// Returns whether nothing can be spent from the budget at the moment.
    pub(crate) fn is_used_up(self, rate: BudgetRate, now: Timestamp) -> bool {
        self.after(1, rate, now).is_err()
    }

    /// Returns the budget after spending, or how long to wait until the same cost would be allowed.
    fn after(self, cost: u32, rate: BudgetRate, now: Timestamp) -> Result<Self, Duration> {
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

impl BudgetRate {
    /// Returns the limits without repetitions, so that no budget is spent from twice.
    pub(crate) fn distinct(limits: &[Limit]) -> Vec<Self> {
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
