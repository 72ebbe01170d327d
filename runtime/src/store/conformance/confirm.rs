//! Clauses of `confirm`.

use super::fixture::*;
use crate::store::{Session, Target};

clauses! {
    /// The current generation of a live session is marked, and only that changes; the second time
    /// nothing is counted.
    49 confirm a_generation_is_confirmed_once(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        let before = row(&store, 1, NOW).await?;
        same!(store.confirm(vec![(sid(1), 1)], at(2)).await?, 1);
        same!(
            row(&store, 1, NOW).await?,
            Session {
                confirmed: true,
                ..before.clone()
            }
        );
        same!(store.confirm(vec![(sid(1), 1)], at(3)).await?, 0);
        same!(
            row(&store, 1, NOW).await?,
            Session {
                confirmed: true,
                ..before
            }
        );
    }

    /// Generation 0 is confirmed like any other.
    50 confirm the_first_generation_can_be_confirmed(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        same!(store.confirm(vec![(sid(1), 0)], at(1)).await?, 1);
        same!(row(&store, 1, NOW).await?.confirmed, true);
    }

    /// A generation other than the current one, and an unknown session, change nothing.
    51 confirm another_generation_is_not_confirmed(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        let before = row(&store, 1, NOW).await?;
        same!(
            store
                .confirm(vec![(sid(1), 0), (sid(1), 2), (sid(9), 0)], at(2))
                .await?,
            0
        );
        same!(row(&store, 1, NOW).await?, before);
    }

    /// A revoked session and one at or past an expiry are not confirmed.
    52 confirm a_dead_session_is_not_confirmed(store) {
        for number in [1, 2] {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let mut short = new(3, "ada", NOW);
        short.abs_exp = at(5000);
        open(&store, short, NOW).await?;
        revoke(&store, Target::Session(sid(1)), at(1)).await?;
        for (number, now) in [(1, at(2)), (2, NOW.plus(IDLE)), (3, at(5000))] {
            let before = row(&store, number, NOW).await?;
            same!(store.confirm(vec![(sid(number), 0)], now).await?, 0);
            same!(row(&store, number, NOW).await?, before);
        }
    }

    /// A batch counts the rows that changed: repetitions once, entries that do not match not at
    /// all, in any order. An empty batch counts nothing.
    53 confirm a_batch_counts_what_changed(store) {
        for number in 1..=5 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        revoke(&store, Target::Session(sid(4)), NOW).await?;
        let batch = [5, 1, 4, 3, 1, 5, 9].map(|number| (sid(number), 0));
        same!(store.confirm(batch.to_vec(), NOW).await?, 3);
        for (number, confirmed) in [(1, true), (2, false), (3, true), (4, false), (5, true)] {
            same!(row(&store, number, NOW).await?.confirmed, confirmed);
        }
        same!(store.confirm(Vec::new(), NOW).await?, 0);
    }

    /// Sixty-four batches over the same sessions in opposite orders all return, and each session is
    /// counted once.
    54 confirm batches_in_opposite_orders_do_not_block_each_other(store) {
        for number in 0..40 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            let mut batch: Vec<_> = (0..40).map(|of| (sid(of), 0)).collect();
            if number % 2 == 0 {
                batch.reverse();
            }
            async move { store.confirm(batch, NOW).await }
        })
        .await?;
        same!(answers.into_iter().sum::<u64>(), 40);
    }
}
