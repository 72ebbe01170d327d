//! Clauses of `log_since` and `set_paused`.

use std::collections::HashSet;

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{Fact, LogCursor, LogEntry, LogPage, Revocation, RevokeReason, Store, Target};

async fn since(
    store: &Store,
    cursor: &LogCursor,
    now: Timestamp,
) -> Result<LogPage, super::broken::Broken> {
    Ok(store.log_since(cursor.clone(), now).await?)
}

fn facts(entries: Vec<LogEntry>) -> Vec<Fact> {
    entries.into_iter().map(|entry| entry.fact).collect()
}

clauses! {
    /// An empty log has no entries, and its cursor still finds the first one.
    84 log_since an_empty_log_can_be_followed(store) {
        let page = since(&store, &LogCursor::START, NOW).await?;
        same!(page.entries, []);
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        same!(
            facts(since(&store, &page.cursor, NOW).await?.entries),
            [Fact::Session(sid(1))]
        );
    }

    /// From a cursor the later entries are returned, each once and for every reader; reading
    /// changes nothing.
    85 log_since a_cursor_finds_what_came_later(store) {
        let mut cursors = vec![LogCursor::START];
        for number in 0..10 {
            revoke(&store, Target::Session(sid(number)), NOW).await?;
            let page = since(&store, cursors.last().unwrap_or(&LogCursor::START), NOW).await?;
            same!(facts(page.entries), [Fact::Session(sid(number))]);
            cursors.push(page.cursor);
        }
        for (seen, cursor) in (0..).zip(&cursors) {
            for _ in 0..2 {
                let expected: Vec<_> = (seen..10)
                    .map(|number| Fact::Session(sid(number)))
                    .collect();
                same!(facts(since(&store, cursor, NOW).await?.entries), expected);
            }
        }
    }

    /// An entry is returned while its `until` is after `now`, and not afterwards.
    86 log_since a_dead_entry_is_left_out(store) {
        for (number, until) in [(1, 1000), (2, 2000)] {
            let (target, reason) = (Target::Session(sid(number)), RevokeReason::Requested);
            store
                .revoke(
                    Revocation {
                        target,
                        reason,
                        until: at(until),
                    },
                    NOW,
                )
                .await?;
        }
        same!(whole_log(&store, at(999)).await?.len(), 2);
        same!(
            facts(whole_log(&store, at(1000)).await?),
            [Fact::Session(sid(2))]
        );
        same!(whole_log(&store, at(2000)).await?, []);
    }

    /// Every kind of fact reads back as it was answered, with its names and numbers.
    87 log_since every_fact_reads_back(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let mut expected = Vec::new();
        for target in [
            Target::Session(sid(9)),
            Target::AccessOf("'; \u{1f511}".to_owned()),
            Target::Token(jti(3)),
            Target::Client(String::new()),
            Target::Key("k \u{e9}".to_owned()),
        ] {
            expected.extend(revoke(&store, target, NOW).await?.entries);
        }
        let mut opening = new(2, "ada", NOW);
        opening.client_id = "web".to_owned();
        open(&store, opening, NOW).await?;
        let mut rotation = advance(2, 0, 2, 3, NOW);
        rotation.log_until = Some(at(5000));
        rotate(&store, rotation, NOW).await?;
        expected.push(LogEntry {
            fact: Fact::Generation(sid(2), 1),
            until: at(5000),
        });
        expected.extend(revoke(&store, Target::Everything, NOW).await?.entries);
        store.set_paused(true, NOW).await?;
        expected.push(LogEntry {
            fact: Fact::Paused(true, 1),
            until: Timestamp::MAX,
        });
        same!(whole_log(&store, NOW).await?, expected);
    }

    /// From the start, a lasting fact is returned with its present value, however long ago it was
    /// written.
    88 log_since what_lasts_comes_with_its_present_value(store) {
        let mut present = HashSet::new();
        for _ in 0..3 {
            present.clear();
            for target in [
                Target::Client("web".to_owned()),
                Target::Client("mobile".to_owned()),
                Target::Everything,
            ] {
                present.extend(
                    revoke(&store, target, NOW)
                        .await?
                        .entries
                        .into_iter()
                        .map(|entry| entry.fact),
                );
            }
            revoke(&store, Target::Key("k1".to_owned()), NOW).await?;
            revoke(&store, Target::Key("k2".to_owned()), NOW).await?;
        }
        present.extend(["k1", "k2"].map(|key| Fact::Key(key.to_owned())));
        let late = NOW.plus(DAY * 3650);
        let log = whole_log(&store, late).await?;
        for fact in present {
            let entry = LogEntry {
                fact,
                until: Timestamp::MAX,
            };
            ensure!(log.contains(&entry), "the log lost {entry:?}");
        }
    }

    /// A reader behind an archive run still gets every lasting fact and every entry that matters.
    89 log_since a_slow_reader_misses_nothing(store) {
        revoke(&store, Target::Session(sid(9)), NOW).await?;
        let cursor = since(&store, &LogCursor::START, NOW).await?.cursor;
        let lasting = [
            Target::Client("web".to_owned()),
            Target::Key("k1".to_owned()),
            Target::Everything,
        ];
        let mut expected = HashSet::new();
        for target in lasting {
            expected.extend(
                revoke(&store, target, NOW)
                    .await?
                    .entries
                    .into_iter()
                    .map(|entry| entry.fact),
            );
        }
        store.set_paused(true, NOW).await?;
        expected.insert(Fact::Paused(true, 1));
        let later = NOW.plus(DAY);
        revoke(&store, Target::Session(sid(1)), later).await?;
        expected.insert(Fact::Session(sid(1)));
        store.archive(later, 1000, later).await?;
        let read: HashSet<_> = facts(since(&store, &cursor, later).await?.entries)
            .into_iter()
            .collect();
        same!(read, expected);
    }

    /// Readers that follow the log while a hundred and twenty-eight revocations are written miss
    /// none of them (R89).
    90 log_since nothing_is_skipped_while_others_write(store) {
        let shared = store.clone();
        let answers = together(136, move |number| {
            let store = shared.clone();
            async move {
                if number < 128 {
                    let (target, reason) = (Target::Session(sid(number)), RevokeReason::Requested);
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
                let (mut cursor, mut seen) = (LogCursor::START, HashSet::new());
                for _ in 0..10_000 {
                    let page = store.log_since(cursor, NOW).await?;
                    seen.extend(facts(page.entries));
                    cursor = page.cursor;
                    if seen.len() == 128 {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                Ok(Some((seen, cursor)))
            }
        })
        .await?;
        for (mut seen, cursor) in answers.into_iter().flatten() {
            seen.extend(facts(since(&store, &cursor, NOW).await?.entries));
            for number in 0..128 {
                ensure!(
                    seen.contains(&Fact::Session(sid(number))),
                    "the revocation of session {number} was skipped"
                );
            }
        }
    }

    /// A cursor that the store cannot have given, such as one of another store, starts over instead
    /// of skipping entries.
    91 log_since a_foreign_cursor_starts_over(store) {
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        for cursor in [
            "no cursor",
            "-1",
            "99999999999999999999999",
            "9000000000000000000",
        ] {
            let page = since(&store, &LogCursor(cursor.to_owned()), NOW).await?;
            same!(facts(page.entries), [Fact::Session(sid(1))]);
        }
    }

    /// Pausing and resuming are logged as lasting facts, with a version that grows; from the start
    /// the last one is returned.
    92 set_paused the_last_pause_counts(store) {
        let mut cursor = since(&store, &LogCursor::START, NOW).await?.cursor;
        let mut last = 0;
        for paused in [true, false, false, true, true, false] {
            store.set_paused(paused, NOW).await?;
            let page = since(&store, &cursor, NOW).await?;
            cursor = page.cursor;
            match page.entries.as_slice() {
                [
                    LogEntry {
                        fact: Fact::Paused(said, version),
                        until: Timestamp::MAX,
                    },
                ] => {
                    same!(*said, paused);
                    ensure!(*version > last, "the version went from {last} to {version}");
                    last = *version;
                }
                other => ensure!(false, "a pause logged {other:?}"),
            }
        }
        let expected = LogEntry {
            fact: Fact::Paused(false, last),
            until: Timestamp::MAX,
        };
        ensure!(
            whole_log(&store, NOW.plus(DAY)).await?.contains(&expected),
            "the log lost {expected:?}"
        );
    }

    /// A pause ends no session and bumps no epoch.
    93 set_paused a_pause_touches_no_session(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let before = row(&store, 1, NOW).await?;
        store.set_paused(true, NOW).await?;
        same!(row(&store, 1, NOW).await?, before);
    }
}
