//! Clauses of `open_session`: the number of sessions that a subject may have (R99), and its races.

use std::collections::BTreeSet;

use super::fixture::*;
use crate::store::{
    Authenticated, Fact, LogEntry, OnLimit, Opened, Revocation, RevokeReason, SessionPage, Target,
};

clauses! {
    /// With `Deny` the sign-in that is one too many gets `LimitReached` and writes nothing; another
    /// subject is not affected.
    16 open_session one_session_too_many_is_refused(store) {
        for number in 1..=3 {
            open(&store, limited(number, "ada", NOW, 3, OnLimit::Deny), NOW).await?;
        }
        let mut fourth = limited(4, "ada", NOW, 3, OnLimit::Deny);
        fourth.tokens = vec![token(1, "ada", NOW)];
        same!(store.open_session(fourth, NOW).await?, Opened::LimitReached);
        same!(store.session(sid(4), NOW).await?, None);
        same!(store.sessions_of("ada".to_owned(), SessionPage::ALL, NOW).await?.len(), 3);
        same!(found(&store, every_token(), NOW).await?, []);
        same!(whole_log(&store, NOW).await?, []);
        open(&store, limited(5, "grace", NOW, 3, OnLimit::Deny), NOW).await?;
    }

    /// Revoked sessions and those past an expiry do not count towards the limit.
    17 open_session dead_sessions_leave_room(store) {
        let short = |number: u32| {
            let mut opening = limited(number, "ada", NOW, 1, OnLimit::Deny);
            opening.idle_exp = at(1000);
            opening
        };
        open(&store, short(1), NOW).await?;
        same!(
            store.open_session(short(2), at(999)).await?,
            Opened::LimitReached
        );
        open(
            &store,
            limited(2, "ada", at(1000), 1, OnLimit::Deny),
            at(1000),
        )
        .await?;
        revoke(&store, Target::Session(sid(2)), at(1000)).await?;
        let mut third = limited(3, "ada", at(1000), 1, OnLimit::Deny);
        third.abs_exp = at(2000);
        open(&store, third, at(1000)).await?;
        same!(
            store
                .open_session(limited(4, "ada", at(1999), 1, OnLimit::Deny), at(1999))
                .await?,
            Opened::LimitReached
        );
        open(
            &store,
            limited(4, "ada", at(2000), 1, OnLimit::Deny),
            at(2000),
        )
        .await?;
    }

    /// With `EvictOldest` the session seen longest ago ends, not the one opened first: revoked with
    /// reason `DeviceLimit` at `now`, and logged until `log_until`.
    18 open_session the_session_seen_longest_ago_is_evicted(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", at(1)), at(1)).await?;
        open(&store, new(3, "grace", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 10, at(2)), at(2)).await?;
        let opening = limited(4, "ada", at(3), 2, OnLimit::EvictOldest);
        let log_until = opening.log_until;
        same!(
            store.open_session(opening, at(3)).await?,
            Opened::Open {
                epoch: 0,
                evicted: vec![sid(2)],
                replaced: vec![]
            }
        );
        same!(
            row(&store, 2, at(3)).await?.revoked,
            Some((at(3), RevokeReason::DeviceLimit))
        );
        same!(
            whole_log(&store, at(3)).await?,
            [LogEntry {
                fact: Fact::Session(sid(2)),
                until: log_until
            }]
        );
        for number in [1, 3, 4] {
            ensure!(
                row(&store, number, at(3)).await?.is_live(at(3)),
                "session {number} ended"
            );
        }
    }

    /// A lowered limit ends as many sessions as exceed it, the one seen longest ago first.
    19 open_session a_lowered_limit_evicts_several(store) {
        for number in [4, 2, 3, 1] {
            open(
                &store,
                new(number, "ada", at(u64::from(number))),
                at(u64::from(number)),
            )
            .await?;
        }
        let answer = store
            .open_session(limited(5, "ada", at(9), 2, OnLimit::EvictOldest), at(9))
            .await?;
        same!(
            answer,
            Opened::Open {
                epoch: 0,
                evicted: vec![sid(1), sid(2), sid(3)],
                replaced: vec![]
            }
        );
        let live: Vec<_> = store
            .sessions_of("ada".to_owned(), SessionPage::ALL, at(9))
            .await?
            .into_iter()
            .map(|row| row.sid)
            .collect();
        same!(live, [sid(4), sid(5)]);
    }

    /// Sessions that are dead already are not evicted a second time.
    20 open_session dead_sessions_are_not_evicted(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(1)), at(1)).await?;
        let answer = store
            .open_session(limited(2, "ada", at(2), 1, OnLimit::EvictOldest), at(2))
            .await?;
        same!(
            answer,
            Opened::Open {
                epoch: 0,
                evicted: vec![],
                replaced: vec![]
            }
        );
        same!(
            row(&store, 1, at(2)).await?.revoked,
            Some((at(1), RevokeReason::Requested))
        );
    }

    /// A hundred sign-ins at once with `Deny` and a limit of five: five open, the others are
    /// refused, five are live (R99).
    21 open_session a_hundred_sign_ins_open_as_many_as_may_be(store) {
        for (round, subject) in (0..).zip(["ada", "grace", "edsger", "barbara"]) {
            let shared = store.clone();
            let answers = together(100, move |number| {
                let store = shared.clone();
                async move {
                    store
                        .open_session(
                            limited(100 * round + number, subject, NOW, 5, OnLimit::Deny),
                            NOW,
                        )
                        .await
                }
            })
            .await?;
            same!(
                answers
                    .iter()
                    .filter(|answer| matches!(answer, Opened::Open { .. }))
                    .count(),
                5
            );
            same!(
                answers
                    .iter()
                    .filter(|answer| **answer == Opened::LimitReached)
                    .count(),
                95
            );
            same!(store.sessions_of(subject.to_owned(), SessionPage::ALL, NOW).await?.len(), 5);
        }
    }

    /// A hundred sign-ins at once with `EvictOldest` and a limit of five: all open, ninety-five
    /// end, each once and each logged, and five are live (R99).
    22 open_session a_hundred_sign_ins_leave_as_many_as_may_be(store) {
        for (round, subject) in (0..).zip(["ada", "grace", "edsger", "barbara"]) {
            let shared = store.clone();
            let answers = together(100, move |number| {
                let store = shared.clone();
                let opening = limited(100 * round + number, subject, NOW, 5, OnLimit::EvictOldest);
                async move { store.open_session(opening, NOW).await }
            })
            .await?;
            let mut evicted = Vec::new();
            for answer in answers {
                match answer {
                    Opened::Open { evicted: ended, .. } => evicted.extend(ended),
                    other => ensure!(false, "a sign-in answered {other:?}"),
                }
            }
            same!(evicted.len(), 95);
            same!(evicted.iter().copied().collect::<BTreeSet<_>>().len(), 95);
            same!(store.sessions_of(subject.to_owned(), SessionPage::ALL, NOW).await?.len(), 5);
            let log = whole_log(&store, NOW).await?;
            for sid in evicted {
                ensure!(
                    log.iter().any(|entry| entry.fact == Fact::Session(sid)),
                    "the end of {sid} was not logged"
                );
            }
        }
    }

    /// Sixty-four sign-ins while the subject is signed out everywhere: each either opened before
    /// and ended, or must be loaded again. No session that was authenticated before stays.
    23 open_session no_sign_in_slips_past_a_sign_out_everywhere(store) {
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                if number == 32 {
                    let (target, reason) =
                        (Target::Subject("ada".to_owned()), RevokeReason::SignOutAll);
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
                    return Ok(None);
                }
                let mut opening = new(number, "ada", NOW);
                opening.authenticated = Authenticated::Since(NOW);
                store.open_session(opening, NOW).await.map(Some)
            }
        })
        .await?;
        for (number, answer) in (0..).zip(answers) {
            match answer {
                None => {}
                Some(Opened::Open { .. }) => {
                    ensure!(
                        row(&store, number, NOW).await?.revoked.is_some(),
                        "session {number} outlived the sign-out"
                    );
                }
                Some(Opened::Reload { changed_at }) => same!(changed_at, NOW),
                Some(Opened::LimitReached | Opened::Gone) => {
                    ensure!(false, "without a limit and a value, one was reached or taken");
                }
            }
        }
        same!(store.sessions_of("ada".to_owned(), SessionPage::ALL, NOW).await?, []);
    }
}
