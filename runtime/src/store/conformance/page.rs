//! Clauses of `tokens`: one token, and pages.

use super::fixture::*;
use crate::store::{TokenQuery, TokenRecord};

clauses! {
    /// `jti` finds that token alone, also together with the other conditions.
    133 tokens one_token_is_found_alone(store) {
        let child = TokenRecord {
            parent: Some(jti(1)),
            ..token(2, "ada", at(2))
        };
        store
            .record_tokens(vec![token(1, "ada", at(1)), child], NOW)
            .await?;
        let one = |number: u32| TokenQuery {
            jti: Some(jti(number)),
            ..every_token()
        };
        same!(found(&store, one(1), NOW).await?, [jti(1)]);
        same!(found(&store, one(2), NOW).await?, [jti(2)]);
        same!(found(&store, one(3), NOW).await?, []);
        same!(
            found(
                &store,
                TokenQuery {
                    subject: Some("grace".to_owned()),
                    ..one(1)
                },
                NOW
            )
            .await?,
            []
        );
        same!(
            found(
                &store,
                TokenQuery {
                    active: Some(false),
                    ..one(1)
                },
                NOW
            )
            .await?,
            []
        );
        same!(
            found(
                &store,
                TokenQuery {
                    tree: Some(jti(1)),
                    ..one(2)
                },
                NOW
            )
            .await?,
            [jti(2)]
        );
        same!(
            found(
                &store,
                TokenQuery {
                    tree: Some(jti(2)),
                    ..one(1)
                },
                NOW
            )
            .await?,
            []
        );
    }

    /// `after` finds the rows after a place, whether or not a row is there: consecutive pages are
    /// the whole list.
    134 tokens pages_in_a_row_are_the_whole_list(store) {
        let tokens = [(4, 5), (2, 7), (3, 5), (1, 9), (5, 5)]
            .map(|(number, issued)| token(number, "ada", at(issued)));
        store.record_tokens(tokens.to_vec(), NOW).await?;
        for tree in [None, Some(jti(4))] {
            let all = found(
                &store,
                TokenQuery {
                    tree,
                    ..every_token()
                },
                NOW,
            )
            .await?;
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = store
                    .tokens(
                        TokenQuery {
                            tree,
                            after,
                            limit: 2,
                            ..every_token()
                        },
                        NOW,
                    )
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some((last.issued_at, last.jti));
                pages.extend(page.into_iter().map(|token| token.jti));
            }
            same!(pages, all);
        }
        let behind = |issued, number| TokenQuery {
            after: Some((at(issued), jti(number))),
            ..every_token()
        };
        same!(found(&store, behind(5, 4), NOW).await?, [5, 2, 1].map(jti));
        same!(found(&store, behind(6, 0), NOW).await?, [2, 1].map(jti));
        same!(
            found(
                &store,
                TokenQuery {
                    subject: Some("ada".to_owned()),
                    ..behind(7, 2)
                },
                NOW
            )
            .await?,
            [jti(1)]
        );
        same!(found(&store, behind(9, 1), NOW).await?, []);
    }
}
