//! Clauses of `open_session`: the sessions that a new one replaces end with its opening, or not at
//! all (R98).

use super::broken::Broken;
use super::fixture::*;
use super::wake::wakes;
use crate::store::{
    Authenticated, Fact, LogEntry, NewSession, OnLimit, OnceKey, OnceValue, Opened, RevokeReason,
    Revoked, SessionPage, Store, Target,
};

/// Returns a session that replaces others.
fn replacing(new: NewSession, replaced: &[u32]) -> NewSession {
    NewSession {
        replaces: replaced.iter().copied().map(sid).collect(),
        ..new
    }
}

/// Opens a session, which must succeed and evict nothing; returns the effects of the ends of those
/// that it replaces.
async fn replace(
    store: &Store,
    new: NewSession,
    now: crate::clock::Timestamp,
) -> Result<Vec<Revoked>, Broken> {
    match store.open_session(new, now).await? {
        Opened::Open {
            evicted, replaced, ..
        } if evicted.is_empty() => Ok(replaced),
        other => Err(Broken::new(format!(
            "a session that should have opened answered {other:?}"
        ))),
    }
}

/// Returns the effects of the end of a session that was live.
fn ended(number: u32, until: crate::clock::Timestamp) -> Revoked {
    Revoked {
        sessions: 1,
        tokens: 0,
        entries: vec![LogEntry {
            fact: Fact::Session(sid(number)),
            until,
        }],
    }
}

clauses! {
    /// The sessions that a new one replaces end with its opening as `revoke` ends a session: at
    /// `now`, with reason `SignOut`, logged until `log_until`, and nothing else of them or of the
    /// subject changes. The answer contains the effects, in their order.
    196 open_session the_sessions_that_it_replaces_end_with_its_opening(store) {
        let mut first = new(1, "ada", NOW);
        let mut registered = token(1, "ada", NOW);
        registered.sid = Some(sid(1));
        first.tokens = vec![registered];
        open(&store, first, NOW).await?;
        for number in [2, 3] {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let before = [row(&store, 1, NOW).await?, row(&store, 2, NOW).await?];
        let state = store.subject("ada".to_owned(), "first-party".to_owned()).await?;
        let tokens = store.tokens(every_token(), NOW).await?;

        let opening = replacing(new(4, "ada", at(5)), &[2, 1]);
        let until = opening.log_until;
        let expected = [ended(2, until), ended(1, until)];
        same!(replace(&store, opening, at(5)).await?, expected);
        for mut row_before in before {
            row_before.revoked = Some((at(5), RevokeReason::SignOut));
            same!(store.session(row_before.sid, at(5)).await?, Some(row_before));
        }
        same!(
            store.subject("ada".to_owned(), "first-party".to_owned()).await?,
            state
        );
        same!(store.tokens(every_token(), NOW).await?, tokens);
        let logged: Vec<_> = expected.into_iter().flat_map(|ended| ended.entries).collect();
        let log = whole_log(&store, at(5)).await?;
        ensure!(
            log.len() == 2 && logged.iter().all(|entry| log.contains(entry)),
            "the log has {log:?}"
        );
        let live: Vec<_> = store
            .sessions_of("ada".to_owned(), SessionPage::ALL, at(5))
            .await?
            .into_iter()
            .map(|row| row.sid)
            .collect();
        same!(live, [sid(3), sid(4)]);
    }

    /// If the session is not opened, no session that it would replace ends, and nothing is logged:
    /// if the subject changed, the limit refuses it, its value is gone, or its id is taken.
    197 open_session nothing_is_replaced_where_nothing_opens(store) {
        for subject in ["ada", "grace"] {
            revoke(&store, Target::RefreshOf(subject.to_owned()), NOW.minus(DAY)).await?;
        }
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "grace", NOW), NOW).await?;
        let before = [row(&store, 1, NOW).await?, row(&store, 2, NOW).await?];

        let mut moved = new(3, "ada", NOW);
        moved.authenticated = Authenticated::After(NOW);
        let refused = limited(3, "grace", NOW, 1, OnLimit::Deny);
        let mut late = new(3, "ada", NOW);
        late.takes = Some(OnceKey { kind: "step".to_owned(), hash: hash(1) });
        for (opening, replaced, answer) in [
            (moved, [1, 2], Opened::Reload { changed_at: NOW.minus(DAY) }),
            (refused, [1, 1], Opened::LimitReached),
            (late, [2, 1], Opened::Gone),
        ] {
            same!(store.open_session(replacing(opening, &replaced), NOW).await?, answer);
        }
        let taken = replacing(new(2, "ada", NOW), &[1]);
        ensure!(
            store.open_session(taken, NOW).await.is_err(),
            "a taken id was given a second time"
        );
        same!([row(&store, 1, NOW).await?, row(&store, 2, NOW).await?], before);
        same!(store.session(sid(3), NOW).await?, None);
        same!(whole_log(&store, NOW).await?, []);
    }

    /// A session that is replaced does not count towards the limit: with `Deny` the new one opens
    /// in its place, and with `EvictOldest` no other one is evicted for it, nor it a second time.
    /// The others count.
    198 open_session a_replaced_session_does_not_count(store) {
        for number in [1, 2] {
            let opened = at(u64::from(number));
            open(&store, new(number, "ada", opened), opened).await?;
        }
        let third = replacing(limited(3, "ada", at(3), 2, OnLimit::Deny), &[2]);
        same!(replace(&store, third, at(3)).await?.len(), 1);
        let fourth = replacing(limited(4, "ada", at(4), 2, OnLimit::EvictOldest), &[1]);
        same!(replace(&store, fourth, at(4)).await?.len(), 1);
        same!(
            row(&store, 1, at(4)).await?.revoked,
            Some((at(4), RevokeReason::SignOut))
        );
        same!(
            store.open_session(limited(5, "ada", at(5), 2, OnLimit::Deny), at(5)).await?,
            Opened::LimitReached
        );

        // A limit that was lowered still ends the others above it, seen longest ago first.
        let sixth = replacing(limited(6, "ada", at(6), 1, OnLimit::EvictOldest), &[3]);
        let until = sixth.log_until;
        same!(
            store.open_session(sixth, at(6)).await?,
            Opened::Open {
                epoch: 0,
                evicted: vec![sid(4)],
                replaced: vec![ended(3, until)]
            }
        );
        same!(
            row(&store, 4, at(6)).await?.revoked,
            Some((at(6), RevokeReason::DeviceLimit))
        );
    }

    /// The sessions that it replaces may be another subject's, unknown, over, and named twice: each
    /// ends as `revoke` would end it, and the session opens.
    199 open_session what_it_replaces_may_be_anything(store) {
        open(&store, new(1, "grace", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(2)), NOW).await?;
        let mut short = new(3, "ada", NOW);
        short.idle_exp = at(2);
        open(&store, short, NOW).await?;

        let opening = replacing(limited(4, "ada", at(5), 1, OnLimit::Deny), &[1, 2, 3, 9, 1]);
        let until = opening.log_until;
        let over = |number, until| Revoked { sessions: 0, ..ended(number, until) };
        same!(
            replace(&store, opening, at(5)).await?,
            [
                ended(1, until),
                over(2, NOW.plus(10 * MINUTE)),
                over(3, until),
                over(9, until),
                over(1, until),
            ]
        );
        same!(
            row(&store, 1, at(5)).await?.revoked,
            Some((at(5), RevokeReason::SignOut))
        );
        same!(
            row(&store, 2, at(5)).await?.revoked,
            Some((NOW, RevokeReason::Requested))
        );
        same!(
            row(&store, 3, at(5)).await?.revoked,
            Some((at(5), RevokeReason::SignOut))
        );
        same!(store.session(sid(9), at(5)).await?, None);
        same!(whole_log(&store, at(5)).await?.len(), 4);
        ensure!(row(&store, 4, at(5)).await?.is_live(at(5)), "the new session ended");
    }

    /// A session takes its value, and replaces others, in one step: of sixty-four sessions with one
    /// value, each of which replaces a session of its own, one opens, and one session ends.
    200 open_session of_sixty_four_sessions_one_replaces(store) {
        for number in 0..64 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let value = OnceValue {
            kind: "step".to_owned(),
            hash: hash(1),
            payload: Vec::new(),
            until: at(1000),
            bound: None,
        };
        same!(store.put_once(value, NOW).await?, true);
        let shared = store.clone();
        let answers = together(64, move |number| {
            let mut opening = replacing(new(64 + number, "ada", NOW), &[number]);
            opening.takes = Some(OnceKey { kind: "step".to_owned(), hash: hash(1) });
            let store = shared.clone();
            async move { store.open_session(opening, NOW).await }
        })
        .await?;
        let opened = |answer: &&Opened| matches!(answer, Opened::Open { .. });
        same!(answers.iter().filter(opened).count(), 1);
        same!(answers.iter().filter(|answer| **answer == Opened::Gone).count(), 63);
        same!(whole_log(&store, NOW).await?.len(), 1);
        let live = store.sessions_of("ada".to_owned(), SessionPage::ALL, NOW).await?;
        same!(live.len(), 64);
    }

    /// Sixty-four sessions of two subjects that replace the same sessions at once, in both orders:
    /// all open, each session ends once, and each end has one entry.
    201 open_session the_same_sessions_are_replaced_at_once(store) {
        for number in 0..4 {
            let subject = if number % 2 == 0 { "ada" } else { "grace" };
            open(&store, new(number, subject, NOW), NOW).await?;
        }
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                let (subject, order) = if number % 2 == 0 {
                    ("ada", [0, 1, 2, 3])
                } else {
                    ("grace", [3, 2, 1, 0])
                };
                let opening = replacing(new(100 + number, subject, NOW), &order);
                match store.open_session(opening, NOW).await? {
                    Opened::Open { replaced, .. } => {
                        Ok(replaced.iter().map(|done| done.sessions).sum())
                    }
                    // A sum that cannot be right.
                    _ => Ok(1000),
                }
            }
        })
        .await?;
        same!(answers.iter().sum::<u64>(), 4);
        let log = whole_log(&store, NOW).await?;
        for number in 0..4 {
            let entries = log.iter().filter(|entry| entry.fact == Fact::Session(sid(number)));
            same!(entries.count(), 1);
        }
        for subject in ["ada", "grace"] {
            let live = store.sessions_of(subject.to_owned(), SessionPage::ALL, NOW).await?;
            same!(live.len(), 32);
        }
    }

    /// Every waiting caller is woken by a session that ends another one as it opens, whether it
    /// replaces the other or is one more than the limit allows.
    202 changed a_session_that_ends_another_wakes_everyone_who_waits(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let mut second = new(2, "ada", NOW);
        second.replaces = vec![sid(1)];
        wakes(&store, store.open_session(second, NOW)).await?;
        let third = limited(3, "ada", NOW, 1, OnLimit::EvictOldest);
        wakes(&store, store.open_session(third, NOW)).await?;
    }
}
