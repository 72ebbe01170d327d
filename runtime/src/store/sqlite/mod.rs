//! The embedded store: sessions in one SQLite file, written by one thread, read by two others.

mod archive;
mod log;
mod once;
mod open;
mod read;
mod revoke;
mod row;
mod schema;
mod session;
mod token;
mod write;

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

pub use open::SqliteOptions;

use super::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceValue, Opened, Revocation, Revoked,
    Rotated, RotationStep, RotationWrite, Session, SessionStore, Spent, StoreError, StoreHealth,
    StoredKeys, TokenQuery, TokenRecord,
};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::Error;
use crate::id::SessionId;

/// Sessions in an SQLite file. Clones share the file's connections.
///
/// One thread writes: it takes what is queued, runs it in one transaction (`BEGIN IMMEDIATE`,
/// `synchronous=FULL`), each operation in a savepoint of its own, and answers after `COMMIT`. Two
/// threads read what is committed. The threads end with the last clone. Several processes may use
/// one file on one machine; a network file system is no place for it.
///
/// A full queue, a full disk and a file that stays locked longer than the busy timeout answer
/// [`StoreError`], and the next operation starts afresh.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: write::Writer,
    readers: read::Readers,
    /// Wakes whoever waits for the log in this process.
    logged: Notify,
}

impl SqliteStore {
    /// Opens the file, and makes it (readable by its owner alone, on Unix) where there is none.
    ///
    /// # Errors
    /// The file cannot be made or written to, is a directory, is not a database, or was written by
    /// a newer version. The message names it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options(path).open().await
    }

    /// Opens the file with other than the default options.
    #[must_use]
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path.as_ref())
    }

    async fn write<T: Send + 'static>(
        &self,
        what: &'static str,
        run: impl FnOnce(&rusqlite::Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0
            .writer
            .run(what, run)
            .await
            .map_err(|error| self.named(what, &error))
    }

    async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        run: impl FnOnce(&rusqlite::Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0
            .readers
            .run(what, run)
            .await
            .map_err(|error| self.named(what, &error))
    }

    /// The same error for whoever operates the program: it says in which file.
    fn named(&self, what: &'static str, error: &StoreError) -> StoreError {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        StoreError::new(what).because(format!("`{}`: {cause}", self.0.path.display()))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.0.path.display())
    }
}

/// What an operation answers inside its transaction. An error rolls it back.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl SessionStore for SqliteStore {
    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("the tables could not be made", move |db| {
            schema::migrate(db, now)
        })
        .await
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.write("the store could not be written to", move |db| {
            schema::health(db, now)
        })
        .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        self.write("the session could not be opened", move |db| {
            session::open(db, &new, now)
        })
        .await
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.read("the session could not be read", move |db| {
            session::read(db, sid)
        })
        .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        const WHAT: &str = "the session could not be rotated";
        match rotation.step {
            RotationStep::Hold { generation } if rotation.tokens.is_empty() => {
                self.read(WHAT, move |db| {
                    session::hold(db, rotation.sid, generation, now)
                })
                .await
            }
            _ => {
                self.write(WHAT, move |db| session::rotate(db, &rotation, now))
                    .await
            }
        }
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("sessions could not be confirmed", move |db| {
            session::confirm(db, seen, now)
        })
        .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        let revoked = self
            .write("nothing could be revoked", move |db| {
                revoke::revoke(db, revocation, now)
            })
            .await?;
        self.0.logged.notify_waiters();
        Ok(revoked)
    }

    async fn sessions_of(
        &self,
        subject: String,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.read("the sessions could not be read", move |db| {
            session::live_of(db, &subject, now)
        })
        .await
    }

    async fn epoch_of(&self, subject: String, client_id: String) -> Result<u64, StoreError> {
        self.read("the epoch could not be read", move |db| {
            Ok(revoke::epoch(db, &subject, &client_id)?)
        })
        .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("the tokens could not be recorded", move |db| {
            token::record(db, &tokens)
        })
        .await
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        self.read("the tokens could not be read", move |db| {
            token::find(db, &query, now)
        })
        .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.read("the log could not be read", move |db| {
            log::since(db, &cursor, now)
        })
        .await
    }

    /// What another process logged is noticed by the number of the log's last entry, looked at
    /// every quarter of a second: `data_version` would wake for each refresh.
    async fn changed(&self, cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        let start = Instant::now();
        loop {
            let logged = self.0.logged.notified();
            let cursor = cursor.clone();
            let is_behind = self
                .read("the log could not be read", move |db| {
                    Ok(log::is_behind(db, &cursor)?)
                })
                .await?;
            let left = patience.saturating_sub(start.elapsed());
            if is_behind || left.is_zero() || timeout(left.min(LOOK), logged).await.is_ok() {
                return Ok(());
            }
        }
    }

    /// What may go is searched for without the write lock, which is held only while it is deleted.
    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        let before = before.min(now);
        let found = self
            .read("nothing could be archived", move |db| {
                archive::find(db, before, limit, now)
            })
            .await?;
        if found.is_empty() {
            return Ok(Archived::default());
        }
        self.write("nothing could be archived", move |db| {
            archive::delete(db, &found, before, now)
        })
        .await
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("the key could not be consumed", move |db| {
            once::consume(db, key, until, now)
        })
        .await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.write("the value could not be kept", move |db| {
            once::put(db, &value, now)
        })
        .await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.write("the value could not be taken", move |db| {
            once::take(db, &kind, hash, now)
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
        self.write("the budget could not be spent from", move |db| {
            once::spend(db, &key, cost, &limits, now)
        })
        .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.read("the key ring could not be read", once::keys)
            .await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("the key ring could not be replaced", move |db| {
            once::swap_keys(db, expected, &ring)
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
        self.write(WHAT, move |db| {
            session::reauthenticate(db, sid, auth_time, acr.as_deref(), now)
        })
        .await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("the device could not be attached", move |db| {
            session::attach(db, sid, &device, now)
        })
        .await
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        self.write("the deployment could not be paused or resumed", move |db| {
            log::set_paused(db, paused)
        })
        .await?;
        self.0.logged.notify_waiters();
        Ok(())
    }
}

/// How often another process is looked after.
const LOOK: Duration = Duration::from_millis(250);
