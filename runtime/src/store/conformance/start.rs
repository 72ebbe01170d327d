//! Clauses of `migrate`, `health` and `now`.

use super::fixture::*;
use crate::store::{StoreHealth, Target};

clauses! {
    /// Migrating again, eight times at once, returns `Ok` and leaves the contents.
    1 migrate migrating_again_changes_nothing(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let before = row(&store, 1, NOW).await?;
        let again = store.clone();
        together(8, move |_| {
            let store = again.clone();
            async move { store.migrate(NOW).await }
        })
        .await?;
        same!(row(&store, 1, NOW).await?, before);
    }

    /// An empty store is healthy and holds no live session; one live session is enough to be
    /// reported.
    2 health a_healthy_store_knows_whether_somebody_is_signed_in(store) {
        same!(
            store.health(NOW).await?,
            StoreHealth {
                has_live_sessions: false,
                older_since: None,
            }
        );
        open(&store, new(1, "ada", NOW), NOW).await?;
        same!(
            store.health(NOW).await?,
            StoreHealth {
                has_live_sessions: true,
                older_since: None,
            }
        );
    }

    /// Revoked sessions, and sessions past the idle or the absolute expiry, are not live.
    3 health dead_sessions_do_not_count_as_live(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        same!(store.health(NOW).await?.has_live_sessions, true);
        same!(store.health(NOW.plus(IDLE)).await?.has_live_sessions, false);
        same!(
            store.health(NOW.plus(ABSOLUTE)).await?.has_live_sessions,
            false
        );
        revoke(&store, Target::Session(sid(2)), NOW).await?;
        same!(store.health(NOW).await?.has_live_sessions, false);
    }

    /// The store's clock, if it has one, does not run backwards from one call to the next.
    4 now the_clock_does_not_run_backwards(store) {
        let first = store.now().await?;
        let second = store.now().await?;
        same!(first.is_some(), second.is_some());
        ensure!(
            first <= second,
            "the clock went from {first:?} to {second:?}"
        );
    }
}
