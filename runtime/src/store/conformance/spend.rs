//! Clauses of `spend`: the generic cell rate algorithm, exact, under all limits or none.

use std::time::Duration;

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{Limit, Spent, Store};

const fn limit(burst: u32, millis: u64) -> Limit {
    Limit {
        burst,
        period: Duration::from_millis(millis),
    }
}

async fn spend(
    store: &Store,
    cost: u32,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Spent, super::broken::Broken> {
    Ok(store
        .spend("ada".to_owned(), cost, limits.to_vec(), now)
        .await?)
}

const fn wait(millis: u64) -> Spent {
    Spent::Refused {
        retry_after: Duration::from_millis(millis),
    }
}

clauses! {
    /// The burst may be spent at once; then the answer says to the millisecond when the same cost
    /// is allowed: not before, and then at once.
    115 spend a_burst_and_then_the_exact_wait(store) {
        let limits = [limit(5, 5000)];
        for _ in 0..5 {
            same!(spend(&store, 1, &limits, NOW).await?, Spent::Allowed);
        }
        same!(spend(&store, 1, &limits, NOW).await?, wait(1000));
        same!(spend(&store, 3, &limits, at(1)).await?, wait(2999));
        same!(spend(&store, 1, &limits, at(999)).await?, wait(1));
        same!(spend(&store, 1, &limits, at(1000)).await?, Spent::Allowed);
        same!(spend(&store, 1, &limits, at(1000)).await?, wait(1000));
        same!(spend(&store, 3, &limits, at(3999)).await?, wait(1));
        same!(spend(&store, 3, &limits, at(4000)).await?, Spent::Allowed);
    }

    /// After `period` without spending, the budget is the whole burst again, and never more.
    116 spend a_budget_is_full_after_its_period(store) {
        let limits = [limit(3, 3000)];
        same!(spend(&store, 3, &limits, NOW).await?, Spent::Allowed);
        same!(spend(&store, 3, &limits, at(2999)).await?, wait(1));
        same!(spend(&store, 3, &limits, at(3000)).await?, Spent::Allowed);
        let later = NOW.plus(DAY);
        same!(spend(&store, 3, &limits, later).await?, Spent::Allowed);
        same!(spend(&store, 1, &limits, later).await?, wait(1000));
    }

    /// A period that the burst does not divide causes no rounding error: seven in a second are
    /// seven in every second.
    117 spend fractions_of_a_millisecond_add_up(store) {
        let limits = [limit(7, 1000)];
        same!(spend(&store, 7, &limits, NOW).await?, Spent::Allowed);
        let mut allowed: u64 = 0;
        for millis in 1..=5000 {
            // The n-th is allowed at the first whole millisecond at or after n sevenths of a
            // second, and until then the wait says so.
            let next = ((allowed + 1) * 1000).div_ceil(7);
            let expected = if millis < next {
                wait(next - millis)
            } else {
                Spent::Allowed
            };
            same!(spend(&store, 1, &limits, at(millis)).await?, expected);
            allowed += u64::from(expected == Spent::Allowed);
        }
        same!(allowed, 35);
    }

    /// If one limit refuses, nothing is spent under the others, and the wait is that of the
    /// strictest.
    118 spend all_limits_or_none(store) {
        let (wide, narrow) = (limit(10, 10_000), limit(1, 60_000));
        same!(
            spend(&store, 1, &[wide, narrow], NOW).await?,
            Spent::Allowed
        );
        for order in [[wide, narrow], [narrow, wide]] {
            same!(spend(&store, 1, &order, NOW).await?, wait(60_000));
        }
        same!(spend(&store, 9, &[wide], NOW).await?, Spent::Allowed);
        same!(spend(&store, 1, &[wide], NOW).await?, wait(1000));
        same!(spend(&store, 1, &[wide, narrow], NOW).await?, wait(60_000));
    }

    /// A cost above a burst is refused however long the caller waits, and spends nothing.
    119 spend a_cost_above_the_burst_is_always_refused(store) {
        let limits = [limit(3, 3000)];
        for now in [NOW, NOW.plus(DAY), NOW.plus(DAY * 400)] {
            ensure!(
                spend(&store, 4, &limits, now).await? != Spent::Allowed,
                "four of three were allowed"
            );
        }
        same!(
            spend(&store, 3, &limits, NOW.plus(DAY * 400)).await?,
            Spent::Allowed
        );
    }

    /// A spend without a limit and one without a cost are allowed, and a cost of zero spends
    /// nothing.
    120 spend nothing_is_always_allowed(store) {
        same!(spend(&store, u32::MAX, &[], NOW).await?, Spent::Allowed);
        let limits = [limit(1, 1000)];
        same!(spend(&store, 0, &limits, NOW).await?, Spent::Allowed);
        same!(spend(&store, 1, &limits, NOW).await?, Spent::Allowed);
        same!(spend(&store, 0, &limits, NOW).await?, Spent::Allowed);
        same!(spend(&store, 1, &limits, NOW).await?, wait(1000));
    }

    /// A limit that is given twice is spent from once.
    121 spend a_limit_given_twice_counts_once(store) {
        let limits = [limit(2, 2000), limit(2, 2000)];
        for _ in 0..2 {
            same!(spend(&store, 1, &limits, NOW).await?, Spent::Allowed);
        }
        same!(spend(&store, 1, &limits, NOW).await?, wait(1000));
    }

    /// Each key has budgets of its own.
    122 spend keys_are_independent(store) {
        for key in ["ada", "Ada", "ada ", "", "%"] {
            same!(
                store
                    .spend(key.to_owned(), 1, vec![limit(1, 1000)], NOW)
                    .await?,
                Spent::Allowed
            );
            same!(
                store
                    .spend(key.to_owned(), 1, vec![limit(1, 1000)], NOW)
                    .await?,
                wait(1000)
            );
        }
    }

    /// The largest numbers neither overflow nor allow too much.
    123 spend the_largest_numbers_hold(store) {
        let huge = [limit(u32::MAX, u64::from(u32::MAX) * 1000)];
        same!(spend(&store, u32::MAX, &huge, NOW).await?, Spent::Allowed);
        same!(spend(&store, 1, &huge, NOW).await?, wait(1000));
        let endless = [Limit {
            burst: 1,
            period: Duration::MAX,
        }];
        same!(spend(&store, 1, &endless, NOW).await?, Spent::Allowed);
        ensure!(
            spend(&store, 1, &endless, NOW.plus(DAY * 36_500)).await? != Spent::Allowed,
            "an endless period ended"
        );
    }

    /// Of sixty-four callers at once, as many are allowed as the burst holds, under two limits.
    124 spend of_sixty_four_callers_a_burst_is_allowed(store) {
        for round in 0..4 {
            let key = format!("user-{round}");
            let (shared, of) = (store.clone(), key.clone());
            let answers = together(64, move |_| {
                let (store, key) = (shared.clone(), of.clone());
                async move {
                    store
                        .spend(key, 1, vec![limit(10, 60_000), limit(40, 600_000)], NOW)
                        .await
                }
            })
            .await?;
            same!(
                answers
                    .into_iter()
                    .filter(|answer| *answer == Spent::Allowed)
                    .count(),
                10
            );
            let wide = || vec![limit(40, 600_000)];
            same!(
                store.spend(key.clone(), 30, wide(), NOW).await?,
                Spent::Allowed
            );
            ensure!(
                store.spend(key, 1, wide(), NOW).await? != Spent::Allowed,
                "refused callers were charged"
            );
        }
    }
}
