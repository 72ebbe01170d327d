//! Clauses of `rotate`: the results of several operations on one session at once.

use super::fixture::*;
use crate::store::{Predecessor, Revocation, RevokeReason, Rotated, Target};

clauses! {
    /// Sixty-four advances with one token: exactly one succeeds, the generation grows by one, and
    /// the row is the winner's (R65).
    43 rotate of_sixty_four_advances_exactly_one_is_done(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        for generation in 0..4 {
            let current = row(&store, 1, NOW).await?.current;
            let shared = store.clone();
            let answers = together(64, move |number| {
                let store = shared.clone();
                let mut rotation = advance(1, generation, 0, 1000 * (generation + 1) + number, NOW);
                if let crate::store::RotationStep::Advance { current: read, .. } =
                    &mut rotation.step
                {
                    *read = current;
                }
                async move { store.rotate(rotation, NOW).await }
            })
            .await?;
            let winners: Vec<u32> = (0..)
                .zip(&answers)
                .filter(|(_, answer)| **answer == Rotated::Done)
                .map(|(number, _)| number)
                .collect();
            same!(winners.len(), 1);
            let row = row(&store, 1, NOW).await?;
            same!(row.generation, generation + 1);
            same!(
                winners
                    .iter()
                    .map(|number| hash(1000 * (generation + 1) + number))
                    .collect::<Vec<_>>(),
                [row.current]
            );
            same!(
                row.previous,
                Some(Predecessor {
                    generation,
                    hash: current
                })
            );
        }
    }

    /// Sixty-four re-mints of one session: exactly one succeeds, and the generation grows by one.
    44 rotate of_sixty_four_remints_exactly_one_is_done(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, NOW), NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move { store.rotate(remint(1, 1, 100 + number, NOW), NOW).await }
        })
        .await?;
        same!(
            answers
                .iter()
                .filter(|answer| **answer == Rotated::Done)
                .count(),
            1
        );
        same!(row(&store, 1, NOW).await?.generation, 2);
        same!(whole_log(&store, NOW).await?.len(), 1);
    }

    /// Sessions do not block each other: sixty-four advances of as many sessions all succeed.
    45 rotate rotations_of_other_sessions_do_not_interfere(store) {
        for number in 0..64 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                store
                    .rotate(advance(number, 0, number, 100 + number, NOW), NOW)
                    .await
            }
        })
        .await?;
        same!(
            answers
                .iter()
                .filter(|answer| **answer == Rotated::Done)
                .count(),
            64
        );
        for number in 0..64 {
            let row = row(&store, number, NOW).await?;
            same!((row.generation, row.current), (1, hash(100 + number)));
        }
    }

    /// A rotation at the same time as a revocation: the session ends whichever comes first, and a
    /// rotation that succeeded shows in the row.
    46 rotate no_rotation_survives_a_revocation(store) {
        for number in 0..32 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                let of = number / 2;
                if number % 2 == 0 {
                    return store
                        .rotate(advance(of, 0, of, 100 + of, NOW), NOW)
                        .await
                        .map(Some);
                }
                let (target, reason) = (Target::Session(sid(of)), RevokeReason::Reuse);
                store
                    .revoke(
                        Revocation {
                            target,
                            reason,
                            until: at(600_000),
                        },
                        NOW,
                    )
                    .await?;
                Ok(None)
            }
        })
        .await?;
        for (number, answer) in (0..).zip(answers.into_iter().flatten()) {
            let row = row(&store, number, NOW).await?;
            same!(row.revoked, Some((NOW, RevokeReason::Reuse)));
            same!(row.generation, u32::from(answer == Rotated::Done));
        }
        for number in 0..32 {
            let generation = row(&store, number, NOW).await?.generation;
            let from = if generation == 0 {
                number
            } else {
                100 + number
            };
            same!(
                store
                    .rotate(advance(number, generation, from, 500, NOW), NOW)
                    .await?,
                Rotated::Lost
            );
        }
    }

    /// A re-mint at the same time as a confirmation: a confirmed successor is not minted again, and
    /// one that was minted again is not confirmed.
    47 rotate a_remint_and_a_confirmation_exclude_each_other(store) {
        for number in 0..32 {
            open(&store, new(number, "ada", NOW), NOW).await?;
            rotate(&store, advance(number, 0, number, 100 + number, NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                let of = number / 2;
                if number % 2 == 0 {
                    return Ok(
                        store.rotate(remint(of, 1, 200 + of, NOW), NOW).await? == Rotated::Done
                    );
                }
                Ok(store.confirm(vec![(sid(of), 1)], NOW).await? == 1)
            }
        })
        .await?;
        for (number, pair) in (0..).zip(answers.chunks(2)) {
            same!(pair.iter().filter(|happened| **happened).count(), 1);
            let row = row(&store, number, NOW).await?;
            same!(
                (row.generation == 1, row.confirmed),
                (row.confirmed, row.generation == 1)
            );
        }
    }

    /// A predecessor that comes back from sixty-four clients while its successor advances never
    /// leads to two lines of tokens: the operations that succeed do so one after another.
    48 rotate mixed_rotations_leave_one_line(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, NOW), NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            let rotation = match number % 3 {
                0 => advance(1, 1, 2, 100 + number, NOW),
                1 => remint(1, 1, 100 + number, NOW),
                _ => hold(1, 1),
            };
            async move { Ok((number % 3 == 2, store.rotate(rotation, NOW).await?)) }
        })
        .await?;
        let written = answers
            .iter()
            .filter(|(holds, answer)| !holds && *answer == Rotated::Done)
            .count();
        same!(written, 1);
        same!(row(&store, 1, NOW).await?.generation, 2);
    }
}
