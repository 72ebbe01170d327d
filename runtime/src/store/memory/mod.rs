//! The store in memory: one lock over rows that are kept without a format.

mod row;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    Spent, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};
use super::rows::{self, Namespace, RealmRows};
use super::shared::operation::{Cause, StoreOperation};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::RealmName;
use row::MemoryRows;

/// Sessions in memory, for tests and for programs whose sessions may end with the process.
///
/// It keeps the whole contract except that nothing survives the process. Clones share their
/// contents.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<SharedState>,
    namespace: Namespace,
}

#[derive(Default)]
struct SharedState {
    rows: Mutex<MemoryRows>,
    /// Wakes the callers that wait for the log of any realm.
    logged: Notify,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs one operation under the lock. Nothing is awaited while it is held.
    fn with<T>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&mut RealmRows<&mut MemoryRows>) -> Result<T, Cause>,
    ) -> Result<T, StoreError> {
        let rows = self.shared.rows.lock();
        let mut rows = rows.map_err(|_| operation.failed("an operation panicked"))?;
        let mut rows = self.namespace.rows(&mut *rows);
        let failed = |cause| operation.failed(cause);
        let before = rows::last_logged(&rows).map_err(failed)?;
        let answer = run(&mut rows).map_err(failed)?;
        if rows::last_logged(&rows).map_err(failed)? != before {
            self.shared.logged.notify_waiters();
        }
        Ok(answer)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl SessionStore for MemoryStore {
    fn realm(&self, realm: &RealmName) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            namespace: Namespace::of(realm),
        }
    }

    async fn realms(&self) -> Result<Vec<RealmRecord>, StoreError> {
        self.with(StoreOperation::Realms, |rows| rows::realms(rows))
    }

    async fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> Result<RealmClaim, StoreError> {
        self.with(StoreOperation::ClaimRealm, |rows| {
            rows::claim_realm(rows, expected.as_ref(), new, now)
        })
    }

    async fn migrate(&self, _now: Timestamp) -> Result<(), StoreError> {
        #[expect(
            clippy::redundant_closure,
            reason = "the function is for rows of one lifetime"
        )]
        self.with(StoreOperation::Migrate, |rows| rows::migrate(rows))
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.with(StoreOperation::Health, |rows| rows::health(rows, now))
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        self.with(StoreOperation::OpenSession, |rows| {
            rows::open_session(rows, &new, now)
        })
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.with(StoreOperation::Session, |rows| rows::session(rows, sid))
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        self.with(StoreOperation::Rotate, |rows| {
            rows::rotate(rows, rotation, now)
        })
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.with(StoreOperation::Confirm, |rows| {
            rows::confirm(rows, &seen, now)
        })
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        self.with(StoreOperation::Revoke, |rows| {
            rows::revoke(rows, revocation, now)
        })
    }

    async fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.with(StoreOperation::SessionsOf, |rows| {
            rows::sessions_of(rows, &subject, page, now)
        })
    }

    async fn subject(
        &self,
        subject: String,
        client_id: String,
    ) -> Result<SubjectState, StoreError> {
        self.with(StoreOperation::Subject, |rows| {
            rows::subject(rows, &subject, &client_id)
        })
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.with(StoreOperation::RecordTokens, |rows| {
            rows::record_tokens(rows, &tokens)
        })
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        self.with(StoreOperation::Tokens, |rows| {
            rows::tokens(rows, &query, now)
        })
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.with(StoreOperation::LogSince, |rows| {
            rows::log_since(rows, &cursor, now)
        })
    }

    async fn changed(&self, _cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        // The caller reads the log, whether or not there is a new entry.
        let _ = timeout(patience, self.shared.logged.notified()).await;
        Ok(())
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        self.with(StoreOperation::Archive, |rows| {
            rows::archive(rows, before, limit, now)
        })
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::ConsumeOnce, |rows| {
            rows::consume_once(rows, key, until, now)
        })
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.with(StoreOperation::PutOnce, |rows| {
            rows::put_once(rows, value, now)
        })
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(StoreOperation::TakeOnce, |rows| {
            rows::take_once(rows, &kind, hash, now)
        })
    }

    async fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(StoreOperation::ReadOnce, |rows| {
            rows::read_once(rows, &kind, hash, now)
        })
    }

    async fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        self.with(StoreOperation::Spend, |rows| {
            rows::spend(rows, &key, cost, &limits, now)
        })
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.with(StoreOperation::Keys, |rows| rows::keys(rows))
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::SwapKeys, |rows| {
            rows::swap_keys(rows, expected, ring)
        })
    }

    async fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        takes: Option<OnceKey>,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.with(StoreOperation::Reauthenticate, |rows| {
            rows::reauthenticate(rows, sid, auth_time, acr, takes.as_ref(), now)
        })
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::Attach, |rows| {
            rows::attach(rows, sid, device, now)
        })
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        self.with(StoreOperation::SetPaused, |rows| {
            rows::set_paused(rows, paused)
        })
    }
}
