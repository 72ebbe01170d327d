//! Clauses of `archive`: rows that are deleted, and rows that must stay.

use super::fixture::*;
use crate::store::{
    Archived, Authenticated, Limit, OnceValue, Opened, Rotated, Spent, Target, TokenRecord,
};

clauses! {
    /// A session is deleted when its absolute expiry is before `before`.
    94 archive a_session_goes_after_its_absolute_expiry(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", at(1)), at(1)).await?;
        let late = NOW.plus(ABSOLUTE).plus(DAY);
        let end = NOW.plus(ABSOLUTE);
        same!(store.archive(end, 100, late).await?, Archived::default());
        let done = store
            .archive(NOW.plus(ABSOLUTE + MILLISECOND), 100, late)
            .await?;
        same!(
            done,
            Archived {
                sessions: 1,
                ..Archived::default()
            }
        );
        same!(store.session(sid(1), late).await?, None);
        ensure!(
            store.session(sid(2), late).await?.is_some(),
            "session 2 went too early"
        );
    }

    /// Until its absolute expiry a session stays, even a revoked one and one past its idle expiry:
    /// an old refresh token of it is still recognised (R100).
    95 archive what_reuse_detection_needs_stays(store) {
        for number in 1..=3 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        rotate(&store, advance(1, 0, 1, 10, NOW), NOW).await?;
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        revoke(&store, Target::RefreshOf("ada".to_owned()), at(1)).await?;
        let late = NOW.plus(ABSOLUTE).minus(SECOND);
        let before = row(&store, 1, late).await?;
        same!(store.archive(late, 100, late).await?.sessions, 0);
        same!(row(&store, 1, late).await?, before);
        for number in 2..=3 {
            row(&store, number, late).await?;
        }
    }

    /// A live session stays whatever `before` is: nothing is deleted that has not ended by `now`.
    96 archive nothing_goes_that_has_not_ended(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        store.record_tokens(vec![token(1, "ada", NOW)], NOW).await?;
        same!(store.consume_once(hash(1), at(5000), NOW).await?, true);
        revoke(&store, Target::Token(jti(9)), NOW).await?;
        same!(
            store.archive(NOW.plus(ABSOLUTE * 2), 100, at(1)).await?,
            Archived::default()
        );
        same!(
            store.rotate(advance(1, 0, 1, 2, at(1)), at(1)).await?,
            Rotated::Done
        );
        same!(found(&store, every_token(), at(1)).await?, [jti(1)]);
        same!(store.consume_once(hash(1), at(5000), at(1)).await?, false);
        same!(whole_log(&store, at(1)).await?.len(), 1);
    }

    /// At most `limit` rows of a kind are deleted at once, `more` says whether there are others,
    /// and repeated runs delete them all.
    97 archive rows_go_in_batches(store) {
        for number in 0..10 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        let tokens = (0..7).map(|number| token(number, "ada", NOW)).collect();
        store.record_tokens(tokens, NOW).await?;
        let late = NOW.plus(ABSOLUTE).plus(DAY);
        let expected = [(4, 4, true), (4, 3, true), (2, 0, false), (0, 0, false)];
        for (sessions, tokens, more) in expected {
            same!(
                store.archive(late, 4, late).await?,
                Archived {
                    sessions,
                    tokens,
                    others: 0,
                    more
                }
            );
        }
    }

    /// Expired registry rows are deleted if they have no session or a dead one; those of a live
    /// session and unexpired ones stay.
    98 archive expired_tokens_go_and_a_live_sessions_stay(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(2)), NOW).await?;
        let of = |number: u32, session: Option<u32>| TokenRecord {
            sid: session.map(sid),
            ..token(number, "ada", NOW)
        };
        let unexpired = TokenRecord {
            expires_at: NOW.plus(DAY * 2),
            ..of(5, Some(2))
        };
        store
            .record_tokens(
                vec![
                    of(1, None),
                    of(2, Some(1)),
                    of(3, Some(2)),
                    of(4, Some(77)),
                    unexpired,
                ],
                NOW,
            )
            .await?;
        let late = NOW.plus(DAY);
        same!(store.archive(late, 100, late).await?.tokens, 3);
        same!(found(&store, every_token(), late).await?, [2, 5].map(jti));
        let late = NOW.plus(IDLE);
        same!(store.archive(late, 100, late).await?.tokens, 2);
    }

    /// An expired token without a session stays while any token below it, at any depth, has not
    /// expired: no tree is split (R100).
    99 archive no_tree_is_split(store) {
        let below = |number: u32, parent: u32| TokenRecord {
            parent: Some(jti(parent)),
            ..token(number, "ada", NOW)
        };
        let leaf = TokenRecord {
            expires_at: NOW.plus(DAY * 2),
            ..below(4, 3)
        };
        let tokens = vec![
            token(1, "ada", NOW),
            below(2, 1),
            below(3, 2),
            leaf,
            below(5, 2),
            token(6, "ada", NOW),
            below(7, 6),
        ];
        store.record_tokens(tokens, NOW).await?;
        let late = NOW.plus(DAY);
        for _ in 0..3 {
            store.archive(late, 1, late).await?;
        }
        store.archive(late, 100, late).await?;
        same!(
            found(&store, every_token(), late).await?,
            [1, 2, 3, 4].map(jti)
        );
        same!(revoke(&store, Target::Tree(jti(1)), late).await?.tokens, 4);
        let late = NOW.plus(DAY * 3);
        same!(store.archive(late, 100, late).await?.tokens, 4);
    }

    /// Expired single-use values, full budgets and dead log entries are deleted; those that are
    /// still needed stay.
    100 archive dead_values_budgets_and_entries_go(store) {
        let value = |number: u32, until| OnceValue {
            kind: "k".to_owned(),
            hash: hash(number),
            payload: vec![1],
            until,
            bound: None,
        };
        let limit = || {
            vec![Limit {
                burst: 1,
                period: MINUTE,
            }]
        };
        let early = at(1000);
        store.consume_once(hash(1), early, NOW).await?;
        store.consume_once(hash(2), NOW.plus(DAY), NOW).await?;
        store.put_once(value(1, early), NOW).await?;
        store.put_once(value(2, NOW.plus(DAY)), NOW).await?;
        store.spend("old".to_owned(), 1, limit(), NOW).await?;
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        let late = NOW.plus(MINUTE * 20);
        store.spend("young".to_owned(), 1, limit(), late).await?;
        revoke(&store, Target::Session(sid(2)), late).await?;
        revoke(&store, Target::Key("k1".to_owned()), NOW).await?;

        same!(
            store.archive(late, 100, late).await?,
            Archived {
                others: 4,
                ..Archived::default()
            }
        );
        same!(store.consume_once(hash(2), late, late).await?, false);
        same!(
            store.take_once("k".to_owned(), hash(2), late).await?,
            Some(vec![1])
        );
        ensure!(
            store.spend("young".to_owned(), 1, limit(), late).await? != Spent::Allowed,
            "a budget was forgotten"
        );
        same!(whole_log(&store, late).await?.len(), 2);
    }

    /// Epochs and `changed_at` outlive every archive run.
    101 archive epochs_and_changes_stay(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        revoke(&store, Target::Client("web".to_owned()), NOW).await?;
        let late = NOW.plus(ABSOLUTE * 2);
        store.archive(late, 100, late).await?;
        let mut opening = new(2, "ada", late);
        opening.authenticated = Authenticated::Since(NOW);
        same!(
            store.open_session(opening, late).await?,
            Opened::Reload { changed_at: NOW }
        );
        same!(open(&store, new(3, "ada", late), late).await?, 1);
        let mut opening = new(4, "grace", late);
        opening.client_id = "web".to_owned();
        same!(open(&store, opening, late).await?, 2);
    }
}
