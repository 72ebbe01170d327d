//! Wake-ups: a read of the log that waits for its next entry (`XREAD BLOCK`), on connections of
//! their own, because it blocks the commands after it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use super::link::Link;
use crate::store::shared::operation::Cause;

/// The idle connections for waiting: as many as there were gates that waited at a time.
pub(super) struct Waiting {
    idle: Mutex<Vec<MultiplexedConnection>>,
    /// The time that a connection may be blocked before it is assumed to be dead.
    longest: Duration,
}

impl Waiting {
    pub(super) const fn new(longest: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            longest,
        }
    }

    /// Waits for an entry after the one with this id. A connection that breaks, or whose wait is
    /// given up, is closed.
    pub(super) async fn wait(
        &self,
        link: &Link,
        prefix: &str,
        behind: &str,
        patience: Duration,
    ) -> Result<(), Cause> {
        let start = Instant::now();
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => link.connect().await?,
        };
        loop {
            let left = patience.saturating_sub(start.elapsed()).min(self.longest);
            // Zero would wait for ever.
            let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(1).arg("BLOCK").arg(millis);
            command
                .arg("STREAMS")
                .arg(format!("{prefix}log"))
                .arg(behind);
            let found = command.query_async::<Value>(&mut connection).await?;
            if found != Value::Nil || start.elapsed() >= patience {
                break;
            }
        }
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok(())
    }
}
