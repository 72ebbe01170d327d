//! The store in memory: one lock over plain maps.

mod archive;
mod log;
mod once;
mod revoke;
mod session;
mod state;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceValue, Opened, Revocation, Revoked,
    Rotated, RotationWrite, Session, Spent, StoreError, StoreHealth, StoredKeys, TokenQuery,
    TokenRecord,
};
use super::shared::operation::StoreOperation;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use state::State;

/// Sessions in memory, for tests and for programs whose sessions may end with them.
///
/// It keeps the whole contract except that nothing survives the process. Clones share what they
/// hold.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<SharedState>);

#[derive(Default)]
struct SharedState {
    state: Mutex<State>,
    /// Wakes those who wait for the log.
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
        run: impl FnOnce(&mut State) -> T,
    ) -> Result<T, StoreError> {
        let mut state = self
            .0
            .state
            .lock()
            .map_err(|_| operation.failed("an operation panicked"))?;
        let before = state.log.last();
        let answer = run(&mut state);
        if state.log.last() != before {
            self.0.logged.notify_waiters();
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
    async fn migrate(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.with(StoreOperation::Health, |state| state.health(now))
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        self.with(StoreOperation::OpenSession, |state| {
            state.open_session(new, now)
        })?
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.with(StoreOperation::Session, |state| state.session(sid))
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        self.with(StoreOperation::Rotate, |state| state.rotate(rotation, now))
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.with(StoreOperation::Confirm, |state| state.confirm(&seen, now))
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        self.with(StoreOperation::Revoke, |state| {
            state.revoke(revocation, now)
        })
    }

    async fn sessions_of(
        &self,
        subject: String,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.with(StoreOperation::SessionsOf, |state| {
            state.sessions_of(&subject, now)
        })
    }

    async fn epoch_of(&self, subject: String, client_id: String) -> Result<u64, StoreError> {
        self.with(StoreOperation::EpochOf, |state| {
            state.epoch(&subject, &client_id)
        })
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.with(StoreOperation::RecordTokens, |state| {
            state.record_tokens(tokens)
        })
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        self.with(StoreOperation::Tokens, |state| state.tokens(&query, now))
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.with(StoreOperation::LogSince, |state| {
            state.log.since(&cursor, now)
        })
    }

    async fn changed(&self, _cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        // Whether something came or not, the caller looks.
        let _ = timeout(patience, self.0.logged.notified()).await;
        Ok(())
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        self.with(StoreOperation::Archive, |state| {
            state.archive(before.min(now), limit, now)
        })
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::ConsumeOnce, |state| {
            state.consume_once(key, until, now)
        })
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.with(StoreOperation::PutOnce, |state| state.put_once(value, now))
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(StoreOperation::TakeOnce, |state| {
            state.take_once(kind, hash, now)
        })
    }

    async fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        self.with(StoreOperation::Spend, |state| {
            state.spend(&key, cost, &limits, now)
        })
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.with(StoreOperation::Keys, |state| state.keys())
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::SwapKeys, |state| {
            state.swap_keys(expected, ring)
        })
    }

    async fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.with(StoreOperation::Reauthenticate, |state| {
            state.reauthenticate(sid, auth_time, acr, now)
        })
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with(StoreOperation::Attach, |state| {
            state.attach(sid, device, now)
        })
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        self.with(StoreOperation::SetPaused, |state| {
            state.log.set_paused(paused)
        })
    }
}
