//! The store that several machines share: sessions in a PostgreSQL database.

mod archive;
mod log;
mod once;
mod open;
mod pool;
mod revoke;
mod row;
mod run;
mod schema;
mod session;
mod token;
mod wake;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use open::PostgresOptions;

use super::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceValue, Opened, Revocation, Revoked,
    Rotated, RotationWrite, Session, SessionStore, Spent, StoreError, StoreHealth, StoredKeys,
    TokenQuery, TokenRecord,
};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::Error;
use crate::id::SessionId;
use run::Mode;

/// Sessions in a PostgreSQL database, version 13 or later. Clones share their connections.
///
/// Every operation is one transaction (READ COMMITTED, `synchronous_commit=on`), most of them one
/// statement. Where another one holds a lock for longer than the lock time-out, where no connection
/// becomes free or can be opened in time, and where the server does not answer, the answer is
/// [`StoreError`], and the next operation starts afresh. Deadlocks and serialization failures are
/// tried again a few times first.
///
/// An operation runs to its end once it has begun, also where nobody waits for it any longer.
///
/// Nodes hear of each other's revocations by `NOTIFY`, for which each listens on a connection of
/// its own, and by reading the log, one small statement a second and node. A refresh notifies
/// nobody: that would have all commits wait for each other.
///
/// The tables' names begin with `tg_`, so they may lie in a database of the program's own, in a
/// schema of their own if one was [given](PostgresOptions::schema). What the store needs is the
/// right to make them, at first, and to read and write them. A pooler in between has to keep a
/// connection for a client, as PgBouncer does in session mode.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    /// Where the database is, for people: no password.
    place: String,
    schema: Option<String>,
    pool: pool::Pool,
    /// How long the server may take for an operation.
    patience: Duration,
    wake: wake::Wake,
}

impl PostgresStore {
    /// Connects with the default options: see [`PostgresOptions`] for them, and for what the URL
    /// may say.
    ///
    /// # Errors
    /// The URL is none, the server cannot be reached or lets us not in, it is too old, a standby or
    /// read-only, the database is not in UTF-8 or was written by a newer version. The message names
    /// user, host and database, and never the password.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::options(url).connect().await
    }

    /// Connects with other than the default options.
    #[must_use]
    pub fn options(url: &str) -> PostgresOptions {
        PostgresOptions::new(url)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.0.place)
    }
}

impl SessionStore for PostgresStore {
    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        const WHAT: &str = "the tables could not be made";
        let args = (self.0.schema.clone(), now);
        self.0
            .run(WHAT, schema::MIGRATING, args, |db, (schema, now)| {
                Box::pin(schema::migrate(db, schema.as_deref(), *now))
            })
            .await
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        const WHAT: &str = "the store could not be written to";
        self.0
            .run(WHAT, Mode::Trial, now, |db, now| {
                Box::pin(schema::health(db, *now))
            })
            .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.0
            .run(
                "the store's clock could not be read",
                Mode::Look,
                (),
                |db, ()| Box::pin(schema::now(db)),
            )
            .await
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        const WHAT: &str = "the session could not be opened";
        self.0
            .run(WHAT, Mode::WITHOUT_BUMPS, (new, now), |db, (new, now)| {
                Box::pin(session::open(db, new, *now))
            })
            .await
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.0
            .run(
                "the session could not be read",
                Mode::Look,
                sid,
                |db, sid| Box::pin(session::read(db, *sid)),
            )
            .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        const WHAT: &str = "the session could not be rotated";
        let mode = if session::only_reads(&rotation) {
            Mode::Look
        } else {
            Mode::Statement
        };
        self.0
            .run(WHAT, mode, (rotation, now), |db, (rotation, now)| {
                Box::pin(session::rotate(db, rotation, *now))
            })
            .await
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        const WHAT: &str = "sessions could not be confirmed";
        self.0
            .run(WHAT, Mode::Statement, (seen, now), |db, (seen, now)| {
                Box::pin(session::confirm(db, seen, *now))
            })
            .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        let mode = revoke::mode(&revocation.target);
        let args = (revocation, now);
        let revoke: run::Operation<_, _> =
            |db, (what, now): &(Revocation, Timestamp)| Box::pin(revoke::revoke(db, what, *now));
        let revoked = self
            .0
            .run("nothing could be revoked", mode, args, revoke)
            .await?;
        self.0.tell();
        Ok(revoked)
    }

    async fn sessions_of(
        &self,
        subject: String,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        const WHAT: &str = "the sessions could not be read";
        self.0
            .run(WHAT, Mode::Look, (subject, now), |db, (subject, now)| {
                Box::pin(session::live_of(db, subject, *now))
            })
            .await
    }

    async fn epoch_of(&self, subject: String, client_id: String) -> Result<u64, StoreError> {
        const WHAT: &str = "the epoch could not be read";
        let args = (subject, client_id);
        self.0
            .run(WHAT, Mode::Look, args, |db, (subject, client)| {
                Box::pin(revoke::epoch(db, subject, client))
            })
            .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        const WHAT: &str = "the tokens could not be recorded";
        self.0
            .run(WHAT, Mode::Statement, tokens, |db, tokens| {
                Box::pin(token::record(db, tokens))
            })
            .await
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        const WHAT: &str = "the tokens could not be read";
        self.0
            .run(WHAT, Mode::Look, (query, now), |db, (query, now)| {
                Box::pin(token::find(db, query, *now))
            })
            .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        const WHAT: &str = "the log could not be read";
        self.0
            .run(WHAT, Mode::Look, (cursor, now), |db, (cursor, now)| {
                Box::pin(log::since(db, cursor, *now))
            })
            .await
    }

    async fn changed(&self, _cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        self.0.wake.heard(patience).await;
        Ok(())
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        const WHAT: &str = "nothing could be archived";
        let args = (before.min(now), limit, now);
        self.0
            .run(WHAT, Mode::PLAIN, args, |db, (before, limit, now)| {
                Box::pin(archive::archive(db, *before, *limit, *now))
            })
            .await
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const WHAT: &str = "the key could not be consumed";
        let args = (key, until, now);
        self.0
            .run(WHAT, Mode::Statement, args, |db, (key, until, now)| {
                Box::pin(once::consume(db, *key, *until, *now))
            })
            .await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        const WHAT: &str = "the value could not be kept";
        self.0
            .run(WHAT, Mode::Statement, (value, now), |db, (value, now)| {
                Box::pin(once::put(db, value, *now))
            })
            .await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        const WHAT: &str = "the value could not be taken";
        let args = (kind, hash, now);
        self.0
            .run(WHAT, Mode::Statement, args, |db, (kind, hash, now)| {
                Box::pin(once::take(db, kind, *hash, *now))
            })
            .await
    }

    async fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        const WHAT: &str = "the budget could not be spent from";
        let mode = once::spending(&key);
        let args = (key, cost, limits, now);
        self.0
            .run(WHAT, mode, args, |db, (key, cost, limits, now)| {
                Box::pin(once::spend(db, key, *cost, limits, *now))
            })
            .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.0
            .run(
                "the key ring could not be read",
                Mode::Look,
                (),
                |db, ()| Box::pin(once::keys(db)),
            )
            .await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        const WHAT: &str = "the key ring could not be replaced";
        let args = (expected, ring);
        self.0
            .run(WHAT, Mode::Statement, args, |db, (expected, ring)| {
                Box::pin(once::swap_keys(db, *expected, ring))
            })
            .await
    }

    async fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        const WHAT: &str = "the session could not be updated";
        let args = (sid, auth_time, acr, now);
        let update: run::Operation<_, _> =
            |db, args: &(SessionId, Timestamp, Option<String>, Timestamp)| {
                let (sid, auth_time, acr, now) = args;
                Box::pin(session::reauthenticate(db, *sid, *auth_time, acr, *now))
            };
        self.0.run(WHAT, Mode::Statement, args, update).await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const WHAT: &str = "the device could not be attached";
        let args = (sid, device, now);
        self.0
            .run(WHAT, Mode::Statement, args, |db, (sid, device, now)| {
                Box::pin(session::attach(db, *sid, device, *now))
            })
            .await
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        const WHAT: &str = "the deployment could not be paused or resumed";
        self.0
            .run(WHAT, Mode::Statement, paused, |db, paused| {
                Box::pin(log::set_paused(db, *paused))
            })
            .await?;
        self.0.tell();
        Ok(())
    }
}
