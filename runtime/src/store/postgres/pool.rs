//! Connections: at most a given number, opened when they are needed, returned by operations that
//! ended without a fault.
//!
//! sqlx has a pool. This one differs where a 503 has to come in time. A connection that is returned
//! is not tested: where a network was cut, the test would wait without end, and would take the
//! place of a connection that works. A server that refuses is an error at once, with its reason.
//! When one connection breaks, the idle ones are dropped with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::asked::AskedSettings;
use super::fault::Fault;
use super::realm::Connection;
use crate::store::shared::tables::RealmTables;

/// Refuses a server that is a standby: what it holds may be older than a revocation.
async fn refuse_standby(connection: &mut PgConnection) -> Result<(), Fault> {
    let row = connection.fetch_one("SELECT pg_catalog.pg_is_in_recovery()");
    match row.await?.try_get(0)? {
        true => Err("the connection leads to a standby, which cannot be written to".into()),
        false => Ok(()),
    }
}

/// The connections of a store.
pub(super) struct ConnectionPool {
    options: PgConnectOptions,
    asked: AskedSettings,
    patience: Duration,
    permits: Arc<Semaphore>,
    /// The idle connections, the one used last at the end.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Dropping it closes it; only [`give_back`](Self::give_back) keeps it.
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

    /// Returns a connection that works, as far as can be told, for the tables of a realm. The
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
            // A connection that was used a moment ago is assumed to work: a test costs a round
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
        // Behind a pooler each connection may lead to another server.
        self.asked.hold_on(&mut connection).await?;
        refuse_standby(&mut connection).await?;
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

    /// Keeps a connection whose last operation ended without a fault, and drops those that have not
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
        // The permit is released after the connection is back, so that the next caller finds it.
        drop(permit);
    }

    /// Drops the idle connections: one broke, so the others most likely have too.
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

/// The time that a connection may be idle before it is tested.
const PING_AFTER: Duration = Duration::from_secs(1);
/// The time that a connection may be idle before it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// The greatest age of a connection: the memory that a server keeps for it only grows.
const MAX_LIFETIME: Duration = Duration::from_secs(1800);
