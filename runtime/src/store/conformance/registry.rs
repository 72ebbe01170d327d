//! Clauses of `record_tokens` and `tokens`.

use super::fixture::*;
use crate::store::{StoredTokenKind, Target, TokenQuery, TokenRecord};

clauses! {
    /// Every value of a row reads back; the answer counts the rows.
    78 record_tokens a_token_reads_back_as_it_was_recorded(store) {
        let full = TokenRecord {
            kind: StoredTokenKind::Refresh,
            sid: Some(sid(1)),
            generation: Some(u32::MAX),
            parent: Some(jti(9)),
            device_id: Some("d-1".to_owned()),
            expires_at: crate::clock::Timestamp::MAX,
            revoked_at: Some(at(3)),
            ..token(2, "ada", at(2))
        };
        let plain = token(1, "", at(1));
        same!(
            store
                .record_tokens(vec![full.clone(), plain.clone()], NOW)
                .await?,
            2
        );
        same!(store.tokens(every_token(), NOW).await?, [plain, full]);
        same!(store.record_tokens(Vec::new(), NOW).await?, 0);
    }

    /// A `jti` that is there already, also within one call, is left as it is and not counted.
    79 record_tokens a_token_is_recorded_once(store) {
        same!(
            store
                .record_tokens(vec![token(1, "ada", NOW), token(1, "grace", NOW)], NOW)
                .await?,
            1
        );
        same!(
            store
                .record_tokens(
                    vec![token(1, "mallory", at(1)), token(2, "ada", at(1))],
                    NOW
                )
                .await?,
            1
        );
        same!(
            store.tokens(every_token(), NOW).await?,
            [token(1, "ada", NOW), token(2, "ada", at(1))]
        );
    }

    /// Rows are ordered by `issued_at`, oldest first, then by `jti`; at most `limit` of them are
    /// returned.
    80 tokens rows_come_oldest_first_up_to_the_limit(store) {
        let tokens = [(4, 5), (2, 7), (3, 5), (1, 9)]
            .map(|(number, issued)| token(number, "ada", at(issued)));
        store.record_tokens(tokens.to_vec(), NOW).await?;
        same!(
            found(&store, every_token(), NOW).await?,
            [3, 4, 2, 1].map(jti)
        );
        same!(
            found(
                &store,
                TokenQuery {
                    limit: 2,
                    ..every_token()
                },
                NOW
            )
            .await?,
            [3, 4].map(jti)
        );
        same!(
            found(
                &store,
                TokenQuery {
                    limit: 0,
                    ..every_token()
                },
                NOW
            )
            .await?,
            []
        );
    }

    /// Each condition alone finds its rows, and together all must hold.
    81 tokens all_given_conditions_must_hold(store) {
        let of =
            |number: u32, subject: &str, session: Option<u32>, device: Option<&str>| TokenRecord {
                sid: session.map(sid),
                device_id: device.map(str::to_owned),
                ..token(number, subject, at(u64::from(number)))
            };
        let tokens = vec![
            of(1, "ada", Some(1), Some("phone")),
            of(2, "ada", Some(1), None),
            of(3, "ada", Some(2), Some("phone")),
            of(4, "grace", Some(1), Some("phone")),
            of(5, "grace", None, Some("Phone")),
        ];
        store.record_tokens(tokens, NOW).await?;
        let ada = || TokenQuery {
            subject: Some("ada".to_owned()),
            ..every_token()
        };
        let phone = || TokenQuery {
            device_id: Some("phone".to_owned()),
            ..every_token()
        };
        same!(found(&store, ada(), NOW).await?, [1, 2, 3].map(jti));
        same!(
            found(
                &store,
                TokenQuery {
                    sid: Some(sid(1)),
                    ..every_token()
                },
                NOW
            )
            .await?,
            [1, 2, 4].map(jti)
        );
        same!(found(&store, phone(), NOW).await?, [1, 3, 4].map(jti));
        same!(
            found(
                &store,
                TokenQuery {
                    sid: Some(sid(1)),
                    ..ada()
                },
                NOW
            )
            .await?,
            [1, 2].map(jti)
        );
        same!(
            found(
                &store,
                TokenQuery {
                    sid: Some(sid(1)),
                    device_id: phone().device_id,
                    ..ada()
                },
                NOW
            )
            .await?,
            [jti(1)]
        );
        same!(
            found(
                &store,
                TokenQuery {
                    subject: Some("nobody".to_owned()),
                    ..phone()
                },
                NOW
            )
            .await?,
            []
        );
    }

    /// `tree` finds a token and its descendants, also below one that was never recorded, but no
    /// ancestor or sibling.
    82 tokens a_tree_is_found_downwards(store) {
        let below = |number: u32, parent: u32| TokenRecord {
            parent: Some(jti(parent)),
            ..token(number, "ada", at(u64::from(number)))
        };
        let tokens = vec![
            token(1, "ada", at(1)),
            below(2, 1),
            below(3, 2),
            below(4, 1),
            below(5, 99),
            below(6, 5),
        ];
        store.record_tokens(tokens, NOW).await?;
        let tree = |number: u32| TokenQuery {
            tree: Some(jti(number)),
            ..every_token()
        };
        same!(found(&store, tree(1), NOW).await?, [1, 2, 3, 4].map(jti));
        same!(found(&store, tree(2), NOW).await?, [2, 3].map(jti));
        same!(found(&store, tree(4), NOW).await?, [jti(4)]);
        same!(found(&store, tree(99), NOW).await?, [5, 6].map(jti));
        same!(
            found(
                &store,
                TokenQuery {
                    limit: 1,
                    ..tree(1)
                },
                NOW
            )
            .await?,
            [jti(1)]
        );
    }

    /// A token is active while it is neither expired nor revoked and its session, if it has one,
    /// exists and is not revoked; `false` finds exactly the others.
    83 tokens active_and_inactive_tokens_are_told_apart(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        let of = |number: u32, session: Option<u32>| TokenRecord {
            sid: session.map(sid),
            ..token(number, "ada", at(u64::from(number)))
        };
        let expired = TokenRecord {
            expires_at: at(100),
            ..of(3, None)
        };
        let tokens = vec![
            of(1, None),
            of(2, Some(1)),
            expired,
            of(4, None),
            of(5, Some(2)),
            of(6, Some(77)),
        ];
        store.record_tokens(tokens, NOW).await?;
        revoke(&store, Target::Token(jti(4)), at(10)).await?;
        revoke(&store, Target::Session(sid(2)), at(10)).await?;
        let active = |active| TokenQuery {
            active: Some(active),
            ..every_token()
        };
        same!(
            found(&store, active(true), at(99)).await?,
            [1, 2, 3].map(jti)
        );
        same!(
            found(&store, active(false), at(99)).await?,
            [4, 5, 6].map(jti)
        );
        same!(found(&store, active(true), at(100)).await?, [1, 2].map(jti));
        same!(
            found(&store, active(false), at(100)).await?,
            [3, 4, 5, 6].map(jti)
        );
        same!(
            found(
                &store,
                TokenQuery {
                    sid: Some(sid(2)),
                    ..active(true)
                },
                at(99)
            )
            .await?,
            []
        );
    }
}
