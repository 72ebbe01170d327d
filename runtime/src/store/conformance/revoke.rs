//! Clauses of `revoke`: one session, and the sessions of a subject.

use super::fixture::*;
use crate::store::{
    Authenticated, Fact, LogEntry, Opened, Revocation, RevokeReason, Revoked, Session, Store,
    Target,
};

/// Returns the `changed_at` of a subject, as a sign-in learns it that expects a time which never
/// was.
async fn changed_at(store: &Store, subject: &str) -> Result<u64, super::broken::Broken> {
    let mut opening = new(9999, subject, NOW);
    opening.authenticated = Authenticated::After(crate::clock::Timestamp::from_millis(12_345));
    match store.open_session(opening, NOW).await? {
        Opened::Reload { changed_at } => Ok(changed_at.as_millis()),
        other => Err(super::broken::Broken::new(format!(
            "a sign-in that expects another time answered {other:?}"
        ))),
    }
}

/// Opens sessions 1 to 3 of ada, the second for another client, and session 4 of grace.
async fn four(store: &Store) -> Result<(), super::broken::Broken> {
    for (number, subject) in [(1, "ada"), (2, "ada"), (3, "ada"), (4, "grace")] {
        let mut opening = new(number, subject, NOW);
        opening.client_id = if number == 2 { "mobile" } else { "first-party" }.to_owned();
        open(store, opening, NOW).await?;
    }
    Ok(())
}

async fn live(store: &Store) -> Result<Vec<u32>, super::broken::Broken> {
    let mut live = Vec::new();
    for number in 1..=4 {
        if row(store, number, NOW).await?.is_live(NOW) {
            live.push(number);
        }
    }
    Ok(live)
}

clauses! {
    /// `Session` ends one session at `now` for its reason, changes nothing else of it, and logs it
    /// until `until`.
    55 revoke one_session_ends_and_is_logged(store) {
        four(&store).await?;
        let before = row(&store, 1, NOW).await?;
        let entry = LogEntry {
            fact: Fact::Session(sid(1)),
            until: at(77_000),
        };
        let revocation = Revocation {
            target: Target::Session(sid(1)),
            reason: RevokeReason::SignOut,
            until: at(77_000),
        };
        same!(
            store.revoke(revocation, at(5)).await?,
            Revoked {
                sessions: 1,
                tokens: 0,
                entries: vec![entry.clone()]
            }
        );
        same!(
            row(&store, 1, NOW).await?,
            Session {
                revoked: Some((at(5), RevokeReason::SignOut)),
                ..before
            }
        );
        same!(live(&store).await?, [2, 3, 4]);
        same!(whole_log(&store, NOW).await?, [entry]);
    }

    /// A session that is over keeps the time and the reason of its first end. It is not counted a
    /// second time, but it is logged again, because the first end may not have been.
    56 revoke a_second_end_keeps_the_first_and_is_logged(store) {
        four(&store).await?;
        revoke(&store, Target::RefreshOf("ada".to_owned()), at(5)).await?;
        let revocation = Revocation {
            target: Target::Session(sid(1)),
            reason: RevokeReason::Reuse,
            until: at(77_000),
        };
        let done = store.revoke(revocation, at(6)).await?;
        same!((done.sessions, done.entries.len()), (0, 1));
        same!(
            row(&store, 1, NOW).await?.revoked,
            Some((at(5), RevokeReason::Requested))
        );
        same!(whole_log(&store, NOW).await?, done.entries);
    }

    /// A session that the store does not have is logged all the same: its access tokens may be in
    /// use.
    57 revoke an_unknown_session_is_logged(store) {
        let done = revoke(&store, Target::Session(sid(7)), NOW).await?;
        same!((done.sessions, done.entries.len()), (0, 1));
        same!(
            whole_log(&store, NOW).await?,
            [LogEntry {
                fact: Fact::Session(sid(7)),
                until: NOW.plus(10 * MINUTE)
            }]
        );
        same!(store.session(sid(7), NOW).await?, None);
    }

    /// A session past an expiry ends as well, because another node's clock may be behind, and does
    /// not count as live.
    58 revoke an_expired_session_ends_uncounted(store) {
        four(&store).await?;
        let late = NOW.plus(IDLE);
        same!(
            revoke(&store, Target::Session(sid(1)), late)
                .await?
                .sessions,
            0
        );
        same!(
            revoke(&store, Target::RefreshOf("ada".to_owned()), late)
                .await?
                .sessions,
            0
        );
        for number in 1..=3 {
            same!(
                row(&store, number, NOW).await?.revoked,
                Some((late, RevokeReason::Requested))
            );
        }
    }

    /// `Subject` ends every session of the subject, and revokes its access tokens by one entry: an
    /// epoch above all that were given out for it. Another subject's sessions and epoch stay.
    59 revoke a_subject_is_signed_out_everywhere(store) {
        four(&store).await?;
        let done = revoke(&store, Target::Subject("ada".to_owned()), at(5)).await?;
        same!(done.sessions, 3);
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Subject("ada".to_owned(), 1),
                until: at(5).plus(10 * MINUTE)
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        same!(live(&store).await?, [4]);
        same!(
            (
                row(&store, 1, NOW).await?.epoch,
                row(&store, 4, NOW).await?.epoch
            ),
            (1, 0)
        );
    }

    /// `AccessOf` revokes access tokens by the epoch alone: every session stays.
    60 revoke access_ends_and_sessions_stay(store) {
        four(&store).await?;
        let done = revoke(&store, Target::AccessOf("ada".to_owned()), at(5)).await?;
        same!(done.sessions, 0);
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Subject("ada".to_owned(), 1),
                until: at(5).plus(10 * MINUTE)
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        same!(live(&store).await?, [1, 2, 3, 4]);
        same!(
            (
                row(&store, 2, NOW).await?.epoch,
                row(&store, 4, NOW).await?.epoch
            ),
            (1, 0)
        );
    }

    /// `RefreshOf` ends every session and nothing else: no entry, no epoch, and access tokens stay
    /// valid until they expire.
    61 revoke refresh_ends_and_access_runs_out(store) {
        four(&store).await?;
        let done = revoke(&store, Target::RefreshOf("ada".to_owned()), at(5)).await?;
        same!(
            done,
            Revoked {
                sessions: 3,
                tokens: 0,
                entries: vec![]
            }
        );
        same!(whole_log(&store, NOW).await?, []);
        same!(live(&store).await?, [4]);
        same!(row(&store, 1, NOW).await?.epoch, 0);
    }

    /// `Others` ends every session of the subject but one, logs each, and changes no epoch.
    62 revoke the_others_end_and_one_stays(store) {
        four(&store).await?;
        let done = revoke(
            &store,
            Target::Others {
                subject: "ada".to_owned(),
                keep: sid(2),
            },
            at(5),
        )
        .await?;
        same!(done.sessions, 2);
        same!(live(&store).await?, [2, 4]);
        let log = whole_log(&store, NOW).await?;
        same!(log, done.entries);
        for number in [1, 3] {
            let entry = LogEntry {
                fact: Fact::Session(sid(number)),
                until: at(5).plus(10 * MINUTE),
            };
            ensure!(
                log.contains(&entry),
                "the end of session {number} was not logged"
            );
        }
        same!((log.len(), row(&store, 2, NOW).await?.epoch), (2, 0));
    }

    /// `Others` with a session to keep that is not the subject's ends all sessions of the subject,
    /// and leaves the other one alone.
    63 revoke keeping_another_subjects_session_keeps_none(store) {
        four(&store).await?;
        let done = revoke(
            &store,
            Target::Others {
                subject: "ada".to_owned(),
                keep: sid(4),
            },
            at(5),
        )
        .await?;
        same!(done.sessions, 3);
        same!(live(&store).await?, [4]);
    }

    /// `Others` logs sessions that ended without an entry a short time ago, since their access
    /// tokens may still be valid; those that ended longer ago than the life of an access token are
    /// left out.
    64 revoke others_that_ended_without_an_entry_are_logged(store) {
        four(&store).await?;
        revoke(&store, Target::RefreshOf("ada".to_owned()), at(5)).await?;
        let others = Target::Others {
            subject: "ada".to_owned(),
            keep: sid(2),
        };
        let done = revoke(&store, others.clone(), at(6)).await?;
        same!((done.sessions, done.entries.len()), (0, 2));
        let later = at(6).plus(10 * MINUTE);
        same!(revoke(&store, others, later).await?, Revoked::default());
    }

    /// Each target that names a subject moves its `changed_at` to `max(now, changed_at + 1)`: it
    /// grows even within a millisecond, and where a clock is behind.
    65 revoke a_subjects_change_always_moves_forward(store) {
        let targets = [
            Target::AccessOf("ada".to_owned()),
            Target::RefreshOf("ada".to_owned()),
            Target::Subject("ada".to_owned()),
            Target::Others {
                subject: "ada".to_owned(),
                keep: sid(1),
            },
        ];
        same!(changed_at(&store, "ada").await?, 0);
        for (more, target) in (0..).zip(&targets) {
            revoke(&store, target.clone(), NOW).await?;
            same!(changed_at(&store, "ada").await?, NOW.as_millis() + more);
        }
        revoke(&store, targets[0].clone(), at(0).minus(MINUTE)).await?;
        same!(changed_at(&store, "ada").await?, NOW.as_millis() + 4);
        revoke(&store, targets[0].clone(), at(1000)).await?;
        same!(changed_at(&store, "ada").await?, NOW.as_millis() + 1000);
        same!(changed_at(&store, "grace").await?, 0);
    }

    /// Targets that name no subject move no subject's `changed_at`.
    66 revoke other_targets_change_no_subject(store) {
        four(&store).await?;
        let targets = [
            Target::Session(sid(1)),
            Target::Token(jti(1)),
            Target::Tree(jti(1)),
            Target::Client("first-party".to_owned()),
            Target::Key("k1".to_owned()),
            Target::Everything,
        ];
        for target in targets {
            revoke(&store, target, NOW).await?;
        }
        same!(changed_at(&store, "ada").await?, 0);
    }
}
