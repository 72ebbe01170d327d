//! Clauses of `session` and `sessions_of`: the rows that are read.

use super::fixture::*;
use crate::id::SessionId;
use crate::store::{Revocation, RevokeReason, Session, SessionPage, Target};

pub(super) fn sids(rows: Vec<Session>) -> Vec<SessionId> {
    rows.into_iter().map(|row| row.sid).collect()
}

clauses! {
    /// A session that was never opened is `None`.
    24 session an_unknown_session_is_none(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        same!(store.session(sid(2), NOW).await?, None);
    }

    /// Revoked and expired sessions are still read, with the time and the reason of their end.
    25 session dead_sessions_are_still_read(store) {
        for (number, reason) in (0..).zip(RevokeReason::ALL) {
            open(&store, new(number, "ada", NOW), NOW).await?;
            let revocation = Revocation {
                target: Target::Session(sid(number)),
                reason,
                until: at(600_000),
            };
            store.revoke(revocation, at(5)).await?;
            same!(
                row(&store, number, at(6)).await?.revoked,
                Some((at(5), reason))
            );
        }
        open(&store, new(100, "ada", NOW), NOW).await?;
        same!(
            row(&store, 100, NOW.plus(ABSOLUTE).plus(DAY))
                .await?
                .revoked,
            None
        );
    }

    /// The row carries the effective epoch of its subject and its client at the moment of reading.
    26 session the_row_carries_the_effective_epoch(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let mut other = new(2, "ada", NOW);
        other.client_id = "mobile".to_owned();
        open(&store, other, NOW).await?;
        open(&store, new(3, "grace", NOW), NOW).await?;
        same!(row(&store, 1, NOW).await?.epoch, 0);

        revoke(&store, Target::Client("mobile".to_owned()), NOW).await?;
        same!(row(&store, 1, NOW).await?.epoch, 0);
        let mobile = row(&store, 2, NOW).await?.epoch;
        ensure!(mobile > 0, "the client's epoch does not count");

        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        let ada = row(&store, 1, NOW).await?.epoch;
        ensure!(
            ada > mobile,
            "the subject's epoch is not above its clients'"
        );
        same!(row(&store, 2, NOW).await?.epoch, ada);
        same!(row(&store, 3, NOW).await?.epoch, 0);

        revoke(&store, Target::Everything, NOW).await?;
        let everything = row(&store, 3, NOW).await?.epoch;
        ensure!(
            everything > ada,
            "the global epoch is not above the subjects'"
        );
        same!(row(&store, 1, NOW).await?.epoch, everything);
    }

    /// Row and epoch are read together: a reader who sees the new epoch of a revoked subject sees
    /// the end of its session as well.
    27 session the_row_and_its_epoch_are_of_one_moment(store) {
        for number in 0..8 {
            open(&store, new(number, &format!("user-{number}"), NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                let (of, mut seen) = (number % 8, Vec::new());
                if number < 8 {
                    for _ in 0..of {
                        tokio::task::yield_now().await;
                    }
                    let target = Target::Subject(format!("user-{of}"));
                    let revocation = Revocation {
                        target,
                        reason: RevokeReason::Requested,
                        until: at(600_000),
                    };
                    store.revoke(revocation, NOW).await?;
                    return Ok(seen);
                }
                // This runs until the end is seen; the bound is for a store that never shows it.
                for _ in 0..10_000 {
                    let Some(row) = store.session(sid(of), NOW).await? else {
                        break;
                    };
                    let ended = row.revoked.is_some();
                    seen.push(row);
                    if ended {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                Ok(seen)
            }
        })
        .await?;
        for row in answers.into_iter().flatten() {
            same!(row.epoch > 0, row.revoked.is_some());
        }
    }

    /// The next read sees an operation that has returned.
    28 session what_was_answered_is_seen(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        for generation in 0..50 {
            rotate(
                &store,
                advance(1, generation, generation + 1, generation + 2, NOW),
                NOW,
            )
            .await?;
            same!(row(&store, 1, NOW).await?.generation, generation + 1);
        }
    }

    /// The live sessions of a subject are returned by `created_at` and then `sid`, without revoked
    /// and expired ones.
    29 sessions_of the_live_sessions_come_oldest_first(store) {
        open(&store, new(5, "ada", at(1)), at(1)).await?;
        open(&store, new(3, "ada", at(2)), at(2)).await?;
        open(&store, new(2, "ada", at(2)), at(2)).await?;
        open(&store, new(1, "ada", at(3)), at(3)).await?;
        open(&store, new(4, "ada", at(1)), at(1)).await?;
        revoke(&store, Target::Session(sid(4)), at(4)).await?;
        let mut short = new(6, "ada", at(1));
        short.idle_exp = at(5);
        open(&store, short, at(1)).await?;
        let mut short = new(7, "ada", at(1));
        short.abs_exp = at(5);
        open(&store, short, at(1)).await?;

        same!(
            sids(store.sessions_of("ada".to_owned(), SessionPage::ALL, at(4)).await?),
            [5, 6, 7, 2, 3, 1].map(sid)
        );
        same!(
            sids(store.sessions_of("ada".to_owned(), SessionPage::ALL, at(5)).await?),
            [5, 2, 3, 1].map(sid)
        );
    }

    /// Each row is the same that `session` reads, its epoch included.
    30 sessions_of each_is_the_whole_row(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1)), at(1)).await?;
        same!(
            store.sessions_of("ada".to_owned(), SessionPage::ALL, at(2)).await?,
            [row(&store, 1, at(2)).await?]
        );
    }

    /// Subjects are compared byte for byte: no other case, no prefix, no pattern.
    31 sessions_of subjects_are_compared_byte_for_byte(store) {
        let subjects = [
            "ada",
            "Ada",
            "ada ",
            "ad_",
            "ad%",
            "ada\u{301}",
            "",
            "'; --",
        ];
        for (number, subject) in (0..).zip(subjects) {
            open(&store, new(number, subject, NOW), NOW).await?;
        }
        for (number, subject) in (0..).zip(subjects) {
            let rows = store.sessions_of(subject.to_owned(), SessionPage::ALL, NOW).await?;
            same!(
                rows.into_iter().map(|row| row.sid).collect::<Vec<_>>(),
                [sid(number)]
            );
        }
        same!(store.sessions_of("nobody".to_owned(), SessionPage::ALL, NOW).await?, []);
    }
}
