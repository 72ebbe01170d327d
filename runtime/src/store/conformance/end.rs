//! Clauses of `revoke` and `archive`: the log gets one entry for the end of a session or a token.

use std::time::Duration;

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{Fact, LogCursor, LogEntry, Revocation, RevokeReason, Revoked, Store, Target};

/// Revokes at `now` with an entry until `until`.
async fn revoke_until(
    store: &Store,
    target: &Target,
    until: Timestamp,
    now: Timestamp,
) -> Result<Revoked, super::broken::Broken> {
    let revocation = Revocation {
        target: target.clone(),
        reason: RevokeReason::SignOut,
        until,
    };
    Ok(store.revoke(revocation, now).await?)
}

clauses! {
    /// A session that ends again, however often and however much later, gets no second entry: its
    /// tokens are older than its end. The answer contains the existing entry.
    168 revoke a_session_that_ends_again_gets_no_second_entry(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let target = Target::Session(sid(1));
        let entries = revoke(&store, target.clone(), NOW).await?.entries;
        let seen = store.log_since(LogCursor::START, NOW).await?.cursor;
        for number in [0, 1, 2, 1000, 500_000] {
            let now = at(number);
            same!(revoke(&store, target.clone(), now).await?.entries, entries);
            same!(whole_log(&store, now).await?, entries);
            same!(store.log_since(seen.clone(), now).await?.entries, []);
        }
        let tree = Target::Others { subject: "ada".to_owned(), keep: sid(9) };
        same!(revoke(&store, tree, at(9)).await?.entries, entries);
        same!(whole_log(&store, at(9)).await?, entries);
    }

    /// A session that ended so long ago that its access tokens have expired gets no entry.
    169 revoke an_end_that_lies_far_behind_is_not_logged(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::RefreshOf("ada".to_owned()), NOW).await?;
        let target = Target::Session(sid(1));
        let later = NOW.plus(10 * MINUTE);
        same!(revoke(&store, target.clone(), later).await?, Revoked::default());
        let entry = LogEntry {
            fact: Fact::Session(sid(1)),
            until: later,
        };
        let shortly_before = later.minus(MILLISECOND);
        same!(
            revoke(&store, target, shortly_before).await?.entries,
            std::slice::from_ref(&entry)
        );
        same!(whole_log(&store, NOW).await?, [entry]);
    }

    /// A token gets one entry, registered or not, and also as a part of its tree.
    170 revoke a_token_that_ends_again_gets_no_second_entry(store) {
        store.record_tokens(vec![token(1, "ada", NOW)], NOW).await?;
        for number in [1, 2] {
            let target = Target::Token(jti(number));
            revoke_until(&store, &target, at(60_000), NOW).await?;
            for target in [&target, &Target::Tree(jti(number))] {
                let done = revoke_until(&store, target, at(60_000), at(0)).await?;
                same!(done.entries.len(), 1);
            }
        }
        // The store knows the end of a registered token, and so the time until which its entry is
        // needed.
        revoke_until(&store, &Target::Token(jti(1)), at(65_000), at(5000)).await?;
        let expected = [1, 2].map(|number| LogEntry {
            fact: Fact::Token(jti(number)),
            until: at(60_000),
        });
        same!(whole_log(&store, NOW).await?, expected);
    }

    /// An entry whose time is too short is replaced, also for a reader who has seen it; one whose
    /// time is longer stays.
    171 revoke an_entry_that_ends_too_early_is_replaced(store) {
        for target in [Target::Session(sid(7)), Target::Token(jti(7))] {
            let seen = store.log_since(LogCursor::START, NOW).await?.cursor;
            let mut cursor = seen.clone();
            for end in [10_000, 20_000, 90_000] {
                let done = revoke_until(&store, &target, at(end), NOW).await?;
                same!(done.entries.len(), 1);
                let page = store.log_since(cursor, NOW).await?;
                ensure!(
                    page.entries.ends_with(&done.entries),
                    "a reader of the log did not get {:?}", done.entries
                );
                cursor = page.cursor;
            }
            revoke_until(&store, &target, at(50_000), NOW).await?;
            same!(store.log_since(seen, at(50_000)).await?.entries.len(), 1);
            same!(store.log_since(cursor, NOW).await?.entries, []);
        }
    }

    /// A thousand revocations of one session leave a few entries at most if the store does not have
    /// the session, and a single one if it does.
    172 revoke a_dead_token_does_not_fill_the_log(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        for number in 0..500 {
            for session in [1, 2] {
                revoke(&store, Target::Session(sid(session)), at(number)).await?;
            }
        }
        let log = whole_log(&store, NOW).await?;
        let count = |session| {
            let fact = Fact::Session(sid(session));
            log.iter().filter(|entry| entry.fact == fact).count()
        };
        same!(count(1), 1);
        ensure!((1..=2).contains(&count(2)), "{} entries are left", count(2));
    }

    /// An entry of the log is deleted when its time is over, whatever `before` is, and not earlier.
    173 archive an_entry_goes_at_its_end(store) {
        let long_ago = NOW.minus(DAY);
        revoke_until(&store, &Target::Session(sid(1)), at(1000), NOW).await?;
        revoke_until(&store, &Target::Token(jti(1)), at(2000), NOW).await?;
        same!(store.archive(long_ago, 100, at(1000)).await?.others, 0);
        same!(store.archive(long_ago, 100, at(1001)).await?.others, 1);
        same!(whole_log(&store, NOW).await?.len(), 1);
        same!(store.archive(long_ago, 100, at(5000)).await?.others, 1);
        same!(whole_log(&store, NOW).await?, []);
        // After that, the same target can be revoked again.
        let later = at(5000).plus(Duration::from_secs(1));
        revoke_until(&store, &Target::Session(sid(1)), later, at(5000)).await?;
        same!(whole_log(&store, at(5000)).await?.len(), 1);
    }
}
