//! Clauses of `rotate`: where a session is used from.

use super::fixture::*;
use super::slide::slide;
use crate::clock::Timestamp;
use crate::store::{LastSeen, Rotated, RotationWrite, SeenFrom, Session, Target};

/// A place, with every character that a database might treat as its own.
fn place(number: u32, history: u32) -> LastSeen {
    let from = |number: u32| SeenFrom {
        ip: Some(format!("192.0.2.{number}")),
        user_agent: (number % 2 == 1).then(|| format!("\0\u{1a}'\"é$1 {number}")),
        last_seen_at: at(u64::from(number)),
    };
    let SeenFrom { ip, user_agent, .. } = from(number);
    LastSeen {
        ip,
        user_agent,
        history: (0..history).map(|before| from(100 + before)).collect(),
    }
}

/// Makes a step of session 1 at a time.
type Step = fn(Timestamp) -> RotationWrite;

fn seen(rotation: RotationWrite, last_seen: &LastSeen) -> RotationWrite {
    RotationWrite {
        last_seen: Some(last_seen.clone()),
        ..rotation
    }
}

clauses! {
    /// A session that was opened was used from nowhere else. A step that rotates or slides writes
    /// `last_seen`, and leaves it as it is where it brings none.
    193 rotate last_seen_is_what_the_last_step_brought(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        same!(row(&store, 1, NOW).await?.last_seen, None);
        let steps: [(Step, Option<LastSeen>); 6] = [
            (|now| advance(1, 0, 1, 2, now), Some(place(1, 0))),
            (|now| remint(1, 1, 3, now), Some(place(2, 8))),
            (|now| slide(1, 2, 3, now.plus(IDLE)), Some(place(3, 1))),
            (|now| advance(1, 2, 3, 4, now), None),
            (|now| remint(1, 3, 5, now), None),
            (|now| slide(1, 4, 5, now.plus(IDLE)), None),
        ];
        let mut expected = None;
        for (millis, (step, last_seen)) in (1..).zip(steps) {
            let mut rotation = step(at(millis));
            rotation.last_seen.clone_from(&last_seen);
            rotation.tokens = vec![token(u32::try_from(millis).unwrap_or(0), "ada", NOW)];
            rotate(&store, rotation, at(millis)).await?;
            expected = last_seen.or(expected);
            same!(row(&store, 1, NOW).await?.last_seen, expected);
        }
        let listed = store.sessions_of("ada".to_owned(), crate::store::SessionPage::ALL, at(9));
        let listed: Vec<_> = listed.await?.into_iter().map(|row| row.last_seen).collect();
        same!(listed, [expected]);
    }

    /// A step that is lost, and one that holds, write none of it, and two sessions of a subject have
    /// each their own.
    194 rotate a_step_that_writes_nothing_leaves_last_seen(store) {
        for number in [1, 2] {
            open(&store, new(number, "ada", NOW), NOW).await?;
            let rotation = advance(number, 0, number, number + 10, at(1));
            rotate(&store, seen(rotation, &place(number, 2)), at(1)).await?;
        }
        revoke(&store, Target::Session(sid(2)), at(2)).await?;
        let before = (row(&store, 1, NOW).await?, row(&store, 2, NOW).await?);
        let other = place(9, 8);
        for (rotation, expected) in [
            (advance(1, 0, 1, 12, at(3)), Rotated::Lost),
            (advance(1, 1, 1, 12, at(3)), Rotated::Lost),
            (remint(1, 0, 12, at(3)), Rotated::Lost),
            (slide(1, 1, 1, at(3)), Rotated::Lost),
            (advance(2, 1, 12, 13, at(3)), Rotated::Lost),
            (advance(3, 0, 3, 13, at(3)), Rotated::Lost),
            (hold(1, 1), Rotated::Done),
        ] {
            same!(store.rotate(seen(rotation, &other), at(3)).await?, expected);
        }
        same!((row(&store, 1, NOW).await?, row(&store, 2, NOW).await?), before);
        same!(before.0.last_seen, Some(place(1, 2)));
        same!(before.1.last_seen, Some(place(2, 2)));
    }

    /// It goes with its session: one that is opened under the same id after the archive deleted the
    /// first was used from nowhere else. Neither a new authentication nor a confirmation nor a new
    /// device changes it before.
    195 rotate last_seen_goes_with_the_session(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, seen(advance(1, 0, 1, 2, at(1)), &place(1, 8)), at(1)).await?;
        store.confirm(vec![(sid(1), 1)], at(2)).await?;
        let device = crate::device::Device::new(Some("desk".to_owned()), None);
        same!(store.attach(sid(1), device, at(2)).await?, true);
        let again = store.reauthenticate(sid(1), at(3), None, None, at(3)).await?;
        same!(again.and_then(|row| row.last_seen), Some(place(1, 8)));
        let after = NOW.plus(ABSOLUTE).plus(DAY);
        store.archive(after, 100, after).await?;
        same!(store.session(sid(1), after).await?, None);
        open(&store, new(1, "ada", after), after).await?;
        let row: Session = row(&store, 1, after).await?;
        same!(row.last_seen, None);
    }
}
