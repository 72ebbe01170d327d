//! Connections: at most so many, opened when they are needed, given back by operations that ended
//! in good order.
//!
//! sqlx has a pool. This one differs where the promise of a timely 503 needs it: a connection that
//! goes back is not asked whether it lives, which waits without end where a network was cut and
//! takes the place of one that works; a server that refuses is an error at once and with its
//! reason; and when one connection breaks, those that wait are dropped with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::asked::AskedSettings;
use super::fault::Fault;
use super::realm::Connection;
use crate::store::shared::tables::RealmTables;

/// The connections of a store.
pub(super) struct ConnectionPool {
    options: PgConnectOptions,
    asked: AskedSettings,
    patience: Duration,
    permits: Arc<Semaphore>,
    /// Those that wait, the one used last at the end.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Dropped, it is closed; only [`give_back`](Self::give_back) keeps it.
pub(super) struct Lease {
    connection: Connection<'static>,
    opened: Instant,
    permit: OwnedSemaphorePermit,
}

impl ConnectionPool {
    pub(super) fn new(
        options: PgConnectOptions,
        asked: AskedSettings,
        max: u32,
        patience: Duration,
    ) -> Self {
        let permits = usize::try_from(max)
            .unwrap_or(Semaphore::MAX_PERMITS)
            .clamp(1, Semaphore::MAX_PERMITS);
        Self {
            options,
            asked,
            patience,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
        }
    }

    /// Returns a connection that works, so far as can be told, for the tables of a realm. The
    /// caller that asked first gets one first.
    pub(super) async fn take(&self, tables: &Arc<RealmTables>) -> Result<Lease, Fault> {
        match timeout(self.patience, self.find(tables)).await {
            Ok(found) => found,
            Err(_) => Err("no connection became free or could be opened in time".into()),
        }
    }

    async fn find(&self, tables: &Arc<RealmTables>) -> Result<Lease, Fault> {
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        while let Some(Idle {
            mut connection,
            opened,
            since,
        }) = self.pop()
        {
            // A connection that was used a moment ago is taken to be alive: asking costs a round
            // trip.
            if since.elapsed() < PING_AFTER || self.answers(&mut connection).await {
                return Ok(Lease {
                    connection: Connection::new(connection, Arc::clone(tables)),
                    opened,
                    permit,
                });
            }
            self.clear();
        }
        let mut connection = self.options.connect().await?;
        // Behind a pooler each connection may lead to another place.
        self.asked.hold_on(&mut connection).await?;
        Ok(Lease {
            connection: Connection::new(connection, Arc::clone(tables)),
            opened: Instant::now(),
            permit,
        })
    }

    async fn answers(&self, connection: &mut PgConnection) -> bool {
        matches!(
            timeout(self.patience / 4, connection.ping()).await,
            Ok(Ok(()))
        )
    }

    fn pop(&self) -> Option<Idle> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// Keeps a connection whose last operation ended in good order, and drops those that have not
    /// been needed for long.
    pub(super) fn give_back(&self, lease: Lease) {
        let Lease {
            connection,
            opened,
            permit,
        } = lease;
        if opened.elapsed() < MAX_LIFETIME {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.extend(connection.into_inner().map(|connection| Idle {
                connection,
                opened,
                since: Instant::now(),
            }));
            idle.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
        }
        // After the connection is back: the caller that gets the place finds it.
        drop(permit);
    }

    /// Forgets the connections that wait: one broke, so the others are as good as broken.
    pub(super) fn clear(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Lease {
    pub(super) const fn connection(&mut self) -> &mut Connection<'static> {
        &mut self.connection
    }
}

impl From<tokio::sync::AcquireError> for Fault {
    fn from(error: tokio::sync::AcquireError) -> Self {
        Self::Other(error.into())
    }
}

/// The time that a connection may wait before it is asked whether it lives.
const PING_AFTER: Duration = Duration::from_secs(1);
/// The time that a connection may wait unused before it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// The age that a connection may reach: the memory that a server keeps for it only grows.
const MAX_LIFETIME: Duration = Duration::from_secs(1800);
