//! Clauses of `revoke`: tokens, trees, clients, keys, everything.

use super::fixture::*;
use crate::clock::Timestamp;
use crate::store::{Fact, LogEntry, RevokeReason, Store, Target, TokenRecord};

/// Registers tokens with parents: `(number, parent, session)`.
async fn register(
    store: &Store,
    tokens: &[(u32, Option<u32>, Option<u32>)],
) -> Result<(), super::broken::Broken> {
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(number, parent, session)| TokenRecord {
            parent: parent.map(jti),
            sid: session.map(sid),
            ..token(*number, "ada", at(u64::from(*number)))
        })
        .collect();
    store.record_tokens(tokens, NOW).await?;
    Ok(())
}

/// Returns the registered tokens that are marked as revoked at `now`.
async fn marked(
    store: &Store,
    now: Timestamp,
) -> Result<Vec<crate::id::TokenId>, super::broken::Broken> {
    let rows = store.tokens(every_token(), NOW).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.revoked_at == Some(now))
        .map(|row| row.jti)
        .collect())
}

clauses! {
    /// `Token` logs one token and marks it in the registry, once; its parent, its children and its
    /// session stay.
    67 revoke one_token_ends(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        register(
            &store,
            &[
                (1, None, Some(1)),
                (2, Some(1), Some(1)),
                (3, Some(2), Some(1)),
            ],
        )
        .await?;
        let done = revoke(&store, Target::Token(jti(2)), at(5)).await?;
        same!((done.sessions, done.tokens), (0, 1));
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Token(jti(2)),
                until: at(5).plus(10 * MINUTE)
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        same!(marked(&store, at(5)).await?, [jti(2)]);
        ensure!(row(&store, 1, NOW).await?.is_live(NOW), "the session ended");
        same!(
            revoke(&store, Target::Token(jti(2)), at(6)).await?.tokens,
            0
        );
        same!(marked(&store, at(5)).await?, [jti(2)]);
    }

    /// A token that is in no registry is logged all the same.
    68 revoke an_unregistered_token_is_logged(store) {
        for target in [Target::Token(jti(1)), Target::Tree(jti(2))] {
            let done = revoke(&store, target, NOW).await?;
            same!((done.sessions, done.tokens, done.entries.len()), (0, 0, 1));
        }
        let log: Vec<_> = whole_log(&store, NOW)
            .await?
            .into_iter()
            .map(|entry| entry.fact)
            .collect();
        same!(log, [Fact::Token(jti(1)), Fact::Token(jti(2))]);
    }

    /// `Tree` ends a token with all its descendants, but no ancestor or sibling (R100).
    69 revoke a_tree_ends_downwards(store) {
        let family = [
            (1, None),
            (2, Some(1)),
            (3, Some(2)),
            (4, Some(3)),
            (5, Some(2)),
            (6, Some(1)),
            (7, None),
        ];
        register(
            &store,
            &family.map(|(number, parent)| (number, parent, None)),
        )
        .await?;
        let done = revoke(&store, Target::Tree(jti(2)), at(9)).await?;
        same!((done.sessions, done.tokens, done.entries.len()), (0, 4, 4));
        same!(marked(&store, at(9)).await?, [2, 3, 4, 5].map(jti));
        let log = whole_log(&store, NOW).await?;
        for number in [2, 3, 4, 5] {
            ensure!(
                log.iter()
                    .any(|entry| entry.fact == Fact::Token(jti(number))),
                "token {number} was not logged"
            );
        }
        same!(log.len(), 4);
    }

    /// The sessions of the tokens in a tree end with it, and are logged; another session stays.
    70 revoke the_session_of_a_tree_ends(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        register(
            &store,
            &[
                (1, None, Some(1)),
                (2, Some(1), Some(1)),
                (3, None, Some(2)),
            ],
        )
        .await?;
        let done = revoke(&store, Target::Tree(jti(2)), at(9)).await?;
        same!((done.sessions, done.tokens), (1, 1));
        same!(
            row(&store, 1, NOW).await?.revoked,
            Some((at(9), RevokeReason::Requested))
        );
        same!(row(&store, 2, NOW).await?.revoked, None);
        ensure!(
            whole_log(&store, NOW)
                .await?
                .iter()
                .any(|entry| entry.fact == Fact::Session(sid(1))),
            "the end of the session was not logged"
        );
    }

    /// A chain of ten thousand tokens and a circle of them end like any other tree (R100).
    71 revoke deep_and_circular_trees_end(store) {
        let chain: Vec<_> = (1..=10_000)
            .map(|number| (number, (number > 1).then(|| number - 1), None))
            .collect();
        register(&store, &chain).await?;
        same!(
            revoke(&store, Target::Tree(jti(1)), at(1)).await?.tokens,
            10_000
        );
        let (a, b, c) = (20_001, 20_002, 20_003);
        register(
            &store,
            &[(a, Some(c), None), (b, Some(a), None), (c, Some(b), None)],
        )
        .await?;
        same!(revoke(&store, Target::Tree(jti(a)), at(2)).await?.tokens, 3);
    }

    /// `Client` ends every session of a client, and revokes its access tokens by one lasting entry;
    /// another client's stay.
    72 revoke the_sessions_of_a_client_end(store) {
        for (number, client) in [(1, "mobile"), (2, "Mobile"), (3, "mobile")] {
            let mut opening = new(number, "ada", NOW);
            opening.client_id = client.to_owned();
            open(&store, opening, NOW).await?;
        }
        let done = revoke(&store, Target::Client("mobile".to_owned()), at(5)).await?;
        same!(done.sessions, 2);
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Client("mobile".to_owned(), 1),
                until: Timestamp::MAX
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        same!(
            row(&store, 1, NOW).await?.revoked,
            Some((at(5), RevokeReason::Requested))
        );
        same!(row(&store, 2, NOW).await?.revoked, None);
        same!(
            (
                row(&store, 1, NOW).await?.epoch,
                row(&store, 2, NOW).await?.epoch
            ),
            (1, 0)
        );
    }

    /// `Key` is one lasting entry, and changes neither sessions nor epochs.
    73 revoke a_key_is_one_lasting_entry(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let before = row(&store, 1, NOW).await?;
        let done = revoke(&store, Target::Key("k1".to_owned()), at(5)).await?;
        same!((done.sessions, done.tokens), (0, 0));
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Key("k1".to_owned()),
                until: Timestamp::MAX
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        same!(row(&store, 1, NOW).await?, before);
    }

    /// `Everything` ends every session, and revokes all access tokens by one lasting entry.
    74 revoke everything_ends(store) {
        for (number, subject) in [(1, "ada"), (2, "grace"), (3, "ada")] {
            open(&store, new(number, subject, NOW), NOW).await?;
        }
        let done = revoke(&store, Target::Everything, at(5)).await?;
        same!(done.sessions, 3);
        same!(
            done.entries,
            [LogEntry {
                fact: Fact::Everything(1),
                until: Timestamp::MAX
            }]
        );
        same!(whole_log(&store, NOW).await?, done.entries);
        for number in 1..=3 {
            let row = row(&store, number, NOW).await?;
            same!(
                (row.revoked, row.epoch),
                (Some((at(5), RevokeReason::Requested)), 1)
            );
        }
    }
}
