//! Clauses of `subject`: the epoch of a token without a session (R90, R91).

use super::fixture::*;
use crate::store::Target;

clauses! {
    /// The epoch is the one that a session of that subject and client would carry, whether or not
    /// there is one, and whichever was bumped last.
    131 subject it_is_the_epoch_of_a_session_of_that_client(store) {
        let targets = [
            Target::AccessOf("ada".to_owned()),
            Target::Client("web".to_owned()),
            Target::Everything,
            Target::Client("mobile".to_owned()),
            Target::Subject("grace".to_owned()),
        ];
        for (number, target) in (1..).zip(targets) {
            revoke(&store, target, NOW).await?;
            for (offset, subject) in (0..).zip(["ada", "grace", "nobody"]) {
                for (half, client) in (0..).zip(["web", "mobile"]) {
                    let mut opening = new(number * 6 + offset * 2 + half, subject, at(5_000));
                    opening.client_id = client.to_owned();
                    let carried = open(&store, opening, at(5_000)).await?;
                    same!(
                        store
                            .subject(subject.to_owned(), client.to_owned())
                            .await?.epoch,
                        carried
                    );
                }
            }
        }
    }

    /// An unknown subject of an unknown client is at zero until everything is revoked.
    132 subject a_stranger_stands_where_everything_does(store) {
        same!(
            store
                .subject("stranger".to_owned(), "elsewhere".to_owned())
                .await?.epoch,
            0
        );
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        revoke(&store, Target::Client("web".to_owned()), NOW).await?;
        same!(
            store
                .subject("stranger".to_owned(), "elsewhere".to_owned())
                .await?.epoch,
            0
        );
        revoke(&store, Target::Everything, NOW).await?;
        same!(
            store
                .subject("stranger".to_owned(), "elsewhere".to_owned())
                .await?.epoch,
            3
        );
    }
}
