//! Clauses of `rotate`: the values that each step writes, and when a step is lost.

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{
    Fact, LogEntry, Predecessor, Rotated, RotationStep, RotationWrite, Session, Store, Target,
};

/// Checks that a rotation is lost, and leaves the row and the log as they are.
async fn lost(
    store: &Store,
    rotation: RotationWrite,
    now: Timestamp,
) -> Result<(), super::broken::Broken> {
    let before = (
        store.session(rotation.sid, NOW).await?,
        whole_log(store, NOW).await?,
    );
    let (sid, mut rotation) = (rotation.sid, rotation);
    rotation.tokens = vec![token(999, "ada", NOW)];
    rotation.log_until = Some(at(600_000));
    same!(store.rotate(rotation, now).await?, Rotated::Lost);
    same!(
        (store.session(sid, NOW).await?, whole_log(store, NOW).await?),
        before
    );
    same!(found(store, every_token(), NOW).await?, []);
    Ok(())
}

clauses! {
    /// An advance writes exactly the values that `RotationStep::Advance` names, and leaves the rest
    /// of the row.
    32 rotate an_advance_writes_what_it_says(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let before = row(&store, 1, NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(9)), at(9)).await?;
        let after = Session {
            generation: 1,
            current: hash(2),
            previous: Some(Predecessor {
                generation: 0,
                hash: hash(1),
            }),
            rotated_at: Some(at(9)),
            superseded_at: Some(at(9)),
            sealed_successor: Some(vec![7; 44]),
            context: Some([9; 32]),
            last_seen_at: at(9),
            idle_exp: at(9).plus(IDLE),
            ..before
        };
        same!(row(&store, 1, NOW).await?, after);
        same!(whole_log(&store, NOW).await?, []);
    }

    /// The next advance replaces the predecessor with all its values, and the successor is
    /// unconfirmed again.
    33 rotate the_next_advance_replaces_the_predecessor(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        same!(store.confirm(vec![(sid(1), 1)], at(2)).await?, 1);
        let mut second = advance(1, 1, 2, 3, at(3));
        if let RotationStep::Advance {
            sealed, context, ..
        } = &mut second.step
        {
            *sealed = vec![1, 2, 3];
            *context = [4; 32];
        }
        rotate(&store, second, at(3)).await?;
        let row = row(&store, 1, NOW).await?;
        same!(
            row.previous,
            Some(Predecessor {
                generation: 1,
                hash: hash(2)
            })
        );
        same!(
            (row.generation, row.current, row.confirmed),
            (2, hash(3), false)
        );
        same!(
            (row.sealed_successor, row.context),
            (Some(vec![1, 2, 3]), Some([4; 32]))
        );
        same!(
            (row.rotated_at, row.superseded_at),
            (Some(at(3)), Some(at(3)))
        );
    }

    /// The absolute expiry never moves, and the idle expiry never passes it (R73).
    34 rotate no_rotation_moves_the_absolute_expiry(store) {
        let mut opening = new(1, "ada", NOW);
        opening.abs_exp = NOW.plus(IDLE).plus(DAY);
        let abs_exp = opening.abs_exp;
        open(&store, opening, NOW).await?;
        for generation in 0..29 {
            let now = NOW.plus(DAY * generation);
            rotate(
                &store,
                advance(1, generation, generation + 1, generation + 2, now),
                now,
            )
            .await?;
            let row = row(&store, 1, now).await?;
            same!(row.abs_exp, abs_exp);
            same!(row.idle_exp, now.plus(IDLE).min(abs_exp));
        }
    }

    /// A generation or a hash that is not the current one is lost and writes nothing; so is an
    /// unknown session.
    35 rotate what_is_not_current_is_lost(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        lost(&store, advance(1, 0, 1, 3, at(2)), at(2)).await?;
        lost(&store, advance(1, 0, 2, 3, at(2)), at(2)).await?;
        lost(&store, advance(1, 1, 1, 3, at(2)), at(2)).await?;
        lost(&store, advance(1, 2, 2, 3, at(2)), at(2)).await?;
        lost(&store, advance(9, 1, 2, 3, at(2)), at(2)).await?;
        rotate(&store, advance(1, 1, 2, 3, at(2)), at(2)).await?;
    }

    /// No step rotates a revoked session, or one at or past either expiry (R74).
    36 rotate a_dead_session_is_not_rotated(store) {
        for number in [1, 2] {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let mut short = new(3, "ada", NOW);
        short.abs_exp = at(5000);
        open(&store, short, NOW).await?;
        revoke(&store, Target::Session(sid(1)), at(1)).await?;
        for (number, now) in [(1, at(2)), (2, NOW.plus(IDLE)), (3, at(5000))] {
            lost(&store, advance(number, 0, number, 9, now), now).await?;
            lost(&store, remint(number, 0, 9, now), now).await?;
            lost(&store, hold(number, 0), now).await?;
        }
        let last = NOW.plus(IDLE).minus(SECOND);
        rotate(&store, advance(2, 0, 2, 9, last), last).await?;
        rotate(&store, advance(3, 0, 3, 9, at(4999)), at(4999)).await?;
    }

    /// A re-mint writes exactly the values that `RotationStep::Remint` names: the predecessor,
    /// `superseded_at`, the context and both expiries stay.
    37 rotate a_remint_writes_what_it_says(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        let before = row(&store, 1, NOW).await?;
        rotate(&store, remint(1, 1, 3, at(9)), at(9)).await?;
        let after = Session {
            generation: 2,
            current: hash(3),
            rotated_at: Some(at(9)),
            sealed_successor: Some(vec![8; 44]),
            last_seen_at: at(9),
            ..before
        };
        same!(row(&store, 1, NOW).await?, after);
    }

    /// A session whose generation was confirmed, or has moved on, is not re-minted.
    38 rotate a_confirmed_successor_is_not_minted_again(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        lost(&store, remint(1, 0, 3, at(2)), at(2)).await?;
        lost(&store, remint(1, 2, 3, at(2)), at(2)).await?;
        lost(&store, remint(9, 1, 3, at(2)), at(2)).await?;
        same!(store.confirm(vec![(sid(1), 1)], at(2)).await?, 1);
        lost(&store, remint(1, 1, 3, at(2)), at(2)).await?;
    }

    /// A hold succeeds where the generation is still the one that was read, and writes nothing into
    /// the row or the log, even with `log_until`.
    39 rotate a_hold_writes_nothing(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        let before = row(&store, 1, NOW).await?;
        rotate(&store, hold(1, 1), at(9)).await?;
        let mut logging = hold(1, 1);
        logging.log_until = Some(at(600_000));
        logging.tokens = vec![token(1, "ada", NOW)];
        rotate(&store, logging, at(9)).await?;
        same!(row(&store, 1, NOW).await?, before);
        same!(whole_log(&store, NOW).await?, []);
        same!(found(&store, every_token(), NOW).await?, [jti(1)]);
    }

    /// A hold is lost where the generation has moved on, or was never reached, or the session is
    /// unknown.
    40 rotate a_hold_on_another_generation_is_lost(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        for rotation in [hold(1, 0), hold(1, 2), hold(9, 0)] {
            same!(store.rotate(rotation.clone(), at(2)).await?, Rotated::Lost);
            lost(&store, rotation, at(2)).await?;
        }
    }

    /// With `log_until`, an advance and a re-mint log their new generation, until that time.
    41 rotate a_rotation_logs_its_generation_where_it_says_so(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let mut first = advance(1, 0, 1, 2, at(1));
        first.log_until = Some(at(500_000));
        rotate(&store, first, at(1)).await?;
        let mut log = vec![LogEntry {
            fact: Fact::Generation(sid(1), 1),
            until: at(500_000),
        }];
        same!(whole_log(&store, NOW).await?, log);
        rotate(&store, remint(1, 1, 3, at(2)), at(2)).await?;
        log.push(LogEntry {
            fact: Fact::Generation(sid(1), 2),
            until: at(2).plus(10 * MINUTE),
        });
        same!(whole_log(&store, NOW).await?, log);
    }

    /// Registry rows are written with the step.
    42 rotate the_tokens_of_a_rotation_are_registered_with_it(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let mut first = advance(1, 0, 1, 2, at(1));
        first.tokens = vec![token(1, "ada", at(1))];
        rotate(&store, first, at(1)).await?;
        let mut second = remint(1, 1, 3, at(2));
        second.tokens = vec![token(2, "ada", at(2)), token(3, "ada", at(3))];
        rotate(&store, second, at(2)).await?;
        same!(found(&store, every_token(), NOW).await?, [1, 2, 3].map(jti));
    }
}
