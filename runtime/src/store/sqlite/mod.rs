//! The embedded store: sessions in one SQLite file, written by one thread, read by two others.

mod archive;
mod log;
mod once;
mod open;
mod read;
mod realm;
mod revoke;
mod row;
pub(super) mod schema;
mod session;
mod token;
mod write;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationStep, RotationWrite, Session,
    SessionPage, Spent, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};
use super::shared::operation::StoreOperation;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::RealmName;

#[cfg(feature = "cli")]
pub(crate) use open::holds_tables;
pub use open::{SqliteOptions, SqliteStore};

impl SessionStore for SqliteStore {
    fn realm(&self, realm: &RealmName) -> Self {
        Self {
            file: Arc::clone(&self.file),
            tables: self.file.realms.of(realm),
        }
    }

    async fn realms(&self) -> Result<Vec<RealmRecord>, StoreError> {
        self.read(StoreOperation::Realms, realm::all).await
    }

    async fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> Result<RealmClaim, StoreError> {
        self.write(StoreOperation::ClaimRealm, move |db| {
            realm::claim(db, expected.as_ref(), new, now)
        })
        .await
    }

    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(StoreOperation::Migrate, move |db| schema::migrate(db, now))
            .await
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.write(StoreOperation::Health, move |db| schema::health(db, now))
            .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        let opened = self
            .write(StoreOperation::OpenSession, move |db| {
                session::open(db, &new, now)
            })
            .await?;
        if opened.ended_others() {
            self.file.logged.notify_waiters();
        }
        Ok(opened)
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.read(StoreOperation::Session, move |db| session::read(db, sid))
            .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        match rotation.step {
            RotationStep::Hold { generation } if rotation.tokens.is_empty() => {
                self.read(StoreOperation::Rotate, move |db| {
                    session::hold(db, rotation.sid, generation, now)
                })
                .await
            }
            _ => {
                self.write(StoreOperation::Rotate, move |db| {
                    session::rotate(db, &rotation, now)
                })
                .await
            }
        }
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(StoreOperation::Confirm, move |db| {
            session::confirm(db, seen, now)
        })
        .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        let revoked = self
            .write(StoreOperation::Revoke, move |db| {
                revoke::revoke(db, &revocation, now)
            })
            .await?;
        self.file.logged.notify_waiters();
        Ok(revoked)
    }

    async fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(StoreOperation::SessionsOf, move |db| {
            session::live_of(db, &subject, page, now)
        })
        .await
    }

    async fn subject(
        &self,
        subject: String,
        client_id: String,
    ) -> Result<SubjectState, StoreError> {
        self.read(StoreOperation::Subject, move |db| {
            Ok(revoke::subject(db, &subject, &client_id)?)
        })
        .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(StoreOperation::RecordTokens, move |db| {
            token::record(db, &tokens)
        })
        .await
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        self.read(StoreOperation::Tokens, move |db| {
            token::find(db, &query, now)
        })
        .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.read(StoreOperation::LogSince, move |db| {
            log::since(db, &cursor, now)
        })
        .await
    }

    /// Notices entries of other processes by the number of the log's last entry, read every quarter
    /// of a second: `data_version` would wake for each refresh.
    async fn changed(&self, cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        let start = Instant::now();
        loop {
            let logged = self.file.logged.notified();
            let cursor = cursor.clone();
            let is_behind = self
                .read(StoreOperation::Changed, move |db| {
                    Ok(log::is_behind(db, &cursor)?)
                })
                .await?;
            let left = patience.saturating_sub(start.elapsed());
            if is_behind || left.is_zero() || timeout(left.min(POLL_INTERVAL), logged).await.is_ok()
            {
                return Ok(());
            }
        }
    }

    /// Finds the rows to be deleted without the write lock, which is held only for the deletion.
    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        let before = before.min(now);
        let found = self
            .read(StoreOperation::Archive, move |db| {
                archive::find(db, before, limit, now)
            })
            .await?;
        if found.is_empty() {
            return Ok(Archived::default());
        }
        self.write(StoreOperation::Archive, move |db| {
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
        let consume = move |db: &realm::Connection<'_>| once::consume(db, key, until, now);
        if until <= now {
            self.read(StoreOperation::ConsumeOnce, consume).await
        } else {
            self.write(StoreOperation::ConsumeOnce, consume).await
        }
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        let only_asks = value.until <= now;
        let put = move |db: &realm::Connection<'_>| once::put(db, &value, now);
        if only_asks {
            self.read(StoreOperation::PutOnce, put).await
        } else {
            self.write(StoreOperation::PutOnce, put).await
        }
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.write(StoreOperation::TakeOnce, move |db| {
            once::take(db, &kind, hash, now)
        })
        .await
    }

    async fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(StoreOperation::ReadOnce, move |db| {
            once::read(db, &kind, hash, now)
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
        self.write(StoreOperation::Spend, move |db| {
            once::spend(db, &key, cost, &limits, now)
        })
        .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.read(StoreOperation::Keys, once::keys).await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(StoreOperation::SwapKeys, move |db| {
            once::swap_keys(db, expected, &ring)
        })
        .await
    }

    async fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        takes: Option<OnceKey>,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.write(StoreOperation::Reauthenticate, move |db| {
            session::reauthenticate(db, sid, (auth_time, acr.as_deref()), takes.as_ref(), now)
        })
        .await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(StoreOperation::Attach, move |db| {
            session::attach(db, sid, &device, now)
        })
        .await
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        self.write(StoreOperation::SetPaused, move |db| {
            log::set_paused(db, paused)
        })
        .await?;
        self.file.logged.notify_waiters();
        Ok(())
    }
}

/// The time between two looks at the log for entries of another process.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
