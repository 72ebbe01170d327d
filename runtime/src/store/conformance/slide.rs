//! Clauses of `rotate`: the step that only moves the idle expiry.

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{Rotated, RotationStep, RotationWrite, Session, Target};

/// Returns the step of session `number`, whose current hash is `hash(current)`.
pub(super) fn slide(
    number: u32,
    generation: u32,
    current: u32,
    idle_exp: Timestamp,
) -> RotationWrite {
    let step = RotationStep::Slide {
        generation,
        current: hash(current),
        idle_exp,
    };
    RotationWrite {
        sid: sid(number),
        step,
        tokens: Vec::new(),
        log_until: None,
        last_seen: None,
    }
}

clauses! {
    /// A slide moves the idle expiry, though not beyond the absolute one, and the time at which the
    /// session was seen; it changes and logs nothing else, even with `log_until`.
    188 rotate a_slide_moves_the_idle_expiry_alone(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        let before = row(&store, 1, NOW).await?;
        let mut first = slide(1, 1, 2, at(9).plus(IDLE));
        first.log_until = Some(at(600_000));
        rotate(&store, first, at(9)).await?;
        let after = Session {
            idle_exp: at(9).plus(IDLE),
            last_seen_at: at(9),
            ..before
        };
        same!(row(&store, 1, NOW).await?, after);
        rotate(&store, slide(1, 1, 2, NOW.plus(ABSOLUTE * 2)), at(20)).await?;
        let after = Session {
            idle_exp: NOW.plus(ABSOLUTE),
            last_seen_at: at(20),
            ..after
        };
        same!(row(&store, 1, NOW).await?, after);
        same!(whole_log(&store, NOW).await?, []);
    }

    /// A slide is lost, and writes nothing, for another generation, another hash, an unknown
    /// session, a revoked and an expired one.
    189 rotate a_slide_of_what_is_not_current_is_lost(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(2)), NOW).await?;
        let before = (row(&store, 1, NOW).await?, row(&store, 2, NOW).await?);
        let late = NOW.plus(ABSOLUTE);
        let idle = before.0.idle_exp;
        for (rotation, now) in [
            (slide(1, 0, 2, late), at(9)),
            (slide(1, 2, 2, late), at(9)),
            (slide(1, 1, 1, late), at(9)),
            (slide(9, 0, 1, late), at(9)),
            (slide(2, 0, 2, late), at(9)),
            (slide(1, 1, 2, late), idle),
        ] {
            let mut rotation = rotation;
            rotation.tokens = vec![token(1, "ada", NOW)];
            same!(store.rotate(rotation, now).await?, Rotated::Lost);
        }
        same!((row(&store, 1, NOW).await?, row(&store, 2, NOW).await?), before);
        same!(found(&store, every_token(), NOW).await?, []);
    }

    /// Registry rows are written with the step, and sixty-four slides at once all succeed.
    190 rotate slides_do_not_stand_in_each_others_way(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            let mut rotation = slide(1, 0, 1, NOW.plus(IDLE));
            rotation.tokens = vec![token(number, "ada", at(u64::from(number)))];
            async move { store.rotate(rotation, at(5)).await }
        })
        .await?;
        ensure!(answers.iter().all(|answer| *answer == Rotated::Done), "{answers:?}");
        same!(found(&store, every_token(), NOW).await?.len(), 64);
    }
}
