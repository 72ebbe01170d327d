//! Clauses of `changed`: nodes learn of each other's entries. No clause says how soon; for a store
//! that never wakes its callers, the wait ends after `patience`.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::broken::Broken;
use super::fixture::*;
use crate::store::{LogCursor, Store, Target};

/// Far longer than a store takes to wake its callers, or to give up so that they read the log.
const LONG: Duration = Duration::from_secs(40);

async fn cursor(store: &Store) -> Result<LogCursor, Broken> {
    Ok(store.log_since(LogCursor::START, NOW).await?.cursor)
}

/// Checks that a waiting caller is woken by an operation that begins a moment later.
pub(super) async fn wakes<T>(
    store: &Store,
    operation: impl Future<Output = Result<T, crate::store::StoreError>>,
) -> Result<(), Broken> {
    let cursor = cursor(store).await?;
    let start = Instant::now();
    let waits = || {
        let (store, cursor) = (store.clone(), cursor.clone());
        tokio::spawn(async move { store.changed(cursor, LONG).await })
    };
    let waiting = [waits(), waits()];
    // A store may need a moment until it listens; its callers read the log meanwhile.
    tokio::time::sleep(Duration::from_millis(300)).await;
    operation.await?;
    for waiting in waiting {
        let woken = timeout(LONG * 2, waiting)
            .await
            .map_err(|_| Broken::new("it never answered"))?;
        woken.map_err(|panic| Broken::new(panic.to_string()))??;
    }
    ensure!(start.elapsed() < LONG, "nobody was woken");
    Ok(())
}

clauses! {
    /// Every waiting caller is woken by a revocation, and by a pause.
    135 changed a_revocation_wakes_everyone_who_waits(store) {
        let other = store.clone();
        wakes(&store, async move {
            let revocation = crate::store::Revocation {
                target: Target::Session(sid(1)),
                reason: crate::store::RevokeReason::Requested,
                until: NOW.plus(10 * MINUTE),
            };
            other.revoke(revocation, NOW).await
        })
        .await?;
        wakes(&store, store.set_paused(true, NOW)).await?;
    }

    /// It returns when `patience` is over, even if nothing was logged.
    136 changed it_ends_with_the_patience(store) {
        let waiting = store.changed(cursor(&store).await?, Duration::from_millis(50));
        timeout(LONG, waiting)
            .await
            .map_err(|_| Broken::new("it went on waiting"))??;
        let waiting = store.changed(LogCursor::START, Duration::ZERO);
        timeout(LONG, waiting)
            .await
            .map_err(|_| Broken::new("it waited at all"))??;
    }

    /// A caller that gives up waiting does not disturb the others.
    137 changed a_wait_that_is_given_up_disturbs_nobody(store) {
        for _ in 0..20 {
            let waiting = store.changed(cursor(&store).await?, LONG);
            let _ = timeout(Duration::from_millis(2), waiting).await;
        }
        wakes(&store, store.set_paused(true, NOW)).await?;
    }
}
