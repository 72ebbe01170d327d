//! The store: every operation of the contract is one transaction of the file.

#![allow(
    clippy::redundant_closure,
    reason = "the functions of `rows` take rows of one lifetime, a closure those of any"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tollgate::clock::Timestamp;
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::realm::RealmName;
use tollgate::store::rows::{self, Cause, Namespace, RealmRows};
use tollgate::store::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    SessionStore, Spent, StoreError, StoreHealth, StoreOperation, StoredKeys, SubjectState,
    TokenQuery, TokenRecord,
};

use crate::file::{File, Reading, Writing};

/// Sessions in a file of redb. Clones share it.
#[derive(Clone)]
pub(crate) struct RedbStore {
    file: Arc<File>,
    /// Wakes those who wait for the log.
    logged: Arc<Notify>,
    namespace: Namespace,
}

type Answer<T> = Result<T, StoreError>;

impl RedbStore {
    pub(crate) fn open(path: &Path) -> Result<Self, Cause> {
        Ok(Self {
            file: Arc::new(File::open(path)?),
            logged: Arc::default(),
            namespace: Namespace::default(),
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&RealmRows<&Reading>) -> Result<T, Cause> + Send + 'static,
    ) -> Answer<T> {
        let namespace = self.namespace.clone();
        self.run(operation, move |file| {
            file.read(|rows| run(&namespace.rows(rows)))
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&mut RealmRows<&mut Writing<'_>>) -> Result<T, Cause> + Send + 'static,
    ) -> Answer<T> {
        let namespace = self.namespace.clone();
        self.run(operation, move |file| {
            file.write(|rows| run(&mut namespace.rows(rows)))
        })
        .await
    }

    /// Runs an operation on a thread that may wait for the disk. It runs to its end even where
    /// nobody waits for its answer any longer: a revocation does not depend on whether the client
    /// stays.
    ///
    /// An error says which operation failed. That is all that the gate wants to know of it; what
    /// the database said is for the people who operate the program.
    async fn run<T: Send + 'static>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&File) -> Result<T, Cause> + Send + 'static,
    ) -> Answer<T> {
        let file = Arc::clone(&self.file);
        match spawn_blocking(move || run(&file)).await {
            Ok(answer) => answer.map_err(|cause| operation.failed(cause)),
            Err(panic) => Err(operation.failed(panic)),
        }
    }
}

impl SessionStore for RedbStore {
    fn realm(&self, realm: &RealmName) -> Self {
        Self {
            namespace: Namespace::of(realm),
            ..self.clone()
        }
    }

    async fn realms(&self) -> Answer<Vec<RealmRecord>> {
        self.read(StoreOperation::Realms, |rows| rows::realms(rows))
            .await
    }

    async fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> Answer<RealmClaim> {
        self.write(StoreOperation::ClaimRealm, move |rows| {
            rows::claim_realm(rows, expected.as_ref(), new, now)
        })
        .await
    }

    async fn migrate(&self, _now: Timestamp) -> Answer<()> {
        // The table was made when the file was opened.
        let run = |rows: &mut RealmRows<&mut Writing<'_>>| rows::migrate(rows);
        self.write(StoreOperation::Migrate, run).await
    }

    async fn health(&self, now: Timestamp) -> Answer<StoreHealth> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::health(rows, now);
        self.write(StoreOperation::Health, run).await
    }

    async fn now(&self) -> Answer<Option<Timestamp>> {
        // A file has no clock of its own.
        Ok(None)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Answer<Opened> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::open_session(rows, &new, now);
        let opened = self.write(StoreOperation::OpenSession, run).await?;
        if opened.ended_others() {
            self.logged.notify_waiters();
        }
        Ok(opened)
    }

    async fn session(&self, sid: SessionId, _now: Timestamp) -> Answer<Option<Session>> {
        let run = move |rows: &RealmRows<&Reading>| rows::session(rows, sid);
        self.read(StoreOperation::Session, run).await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Answer<Rotated> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::rotate(rows, rotation, now);
        self.write(StoreOperation::Rotate, run).await
    }

    async fn confirm(&self, seen: Vec<(SessionId, u32)>, now: Timestamp) -> Answer<u64> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::confirm(rows, &seen, now);
        self.write(StoreOperation::Confirm, run).await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Answer<Revoked> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::revoke(rows, revocation, now);
        let revoked = self.write(StoreOperation::Revoke, run).await?;
        self.logged.notify_waiters();
        Ok(revoked)
    }

    async fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> Answer<Vec<Session>> {
        let run = move |rows: &RealmRows<&Reading>| rows::sessions_of(rows, &subject, page, now);
        self.read(StoreOperation::SessionsOf, run).await
    }

    async fn subject(&self, subject: String, client_id: String) -> Answer<SubjectState> {
        let run = move |rows: &RealmRows<&Reading>| rows::subject(rows, &subject, &client_id);
        self.read(StoreOperation::Subject, run).await
    }

    async fn record_tokens(&self, tokens: Vec<TokenRecord>, _now: Timestamp) -> Answer<u64> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::record_tokens(rows, &tokens);
        self.write(StoreOperation::RecordTokens, run).await
    }

    async fn tokens(&self, query: TokenQuery, now: Timestamp) -> Answer<Vec<TokenRecord>> {
        let run = move |rows: &RealmRows<&Reading>| rows::tokens(rows, &query, now);
        self.read(StoreOperation::Tokens, run).await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Answer<LogPage> {
        let run = move |rows: &RealmRows<&Reading>| rows::log_since(rows, &cursor, now);
        self.read(StoreOperation::LogSince, run).await
    }

    async fn changed(&self, _cursor: LogCursor, patience: Duration) -> Answer<()> {
        // The caller reads the log, whether or not something was logged. One process has the file,
        // so whatever is logged is logged here.
        let _ = timeout(patience, self.logged.notified()).await;
        Ok(())
    }

    async fn archive(&self, before: Timestamp, limit: u32, now: Timestamp) -> Answer<Archived> {
        let run =
            move |rows: &mut RealmRows<&mut Writing<'_>>| rows::archive(rows, before, limit, now);
        self.write(StoreOperation::Archive, run).await
    }

    async fn consume_once(&self, key: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<bool> {
        let run =
            move |rows: &mut RealmRows<&mut Writing<'_>>| rows::consume_once(rows, key, until, now);
        self.write(StoreOperation::ConsumeOnce, run).await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Answer<bool> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::put_once(rows, value, now);
        self.write(StoreOperation::PutOnce, run).await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Answer<Option<Vec<u8>>> {
        let run =
            move |rows: &mut RealmRows<&mut Writing<'_>>| rows::take_once(rows, &kind, hash, now);
        self.write(StoreOperation::TakeOnce, run).await
    }

    async fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Answer<Option<Vec<u8>>> {
        let run = move |rows: &RealmRows<&Reading>| rows::read_once(rows, &kind, hash, now);
        self.read(StoreOperation::ReadOnce, run).await
    }

    async fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Answer<Spent> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| {
            rows::spend(rows, &key, cost, &limits, now)
        };
        self.write(StoreOperation::Spend, run).await
    }

    async fn keys(&self) -> Answer<StoredKeys> {
        self.read(StoreOperation::Keys, |rows| rows::keys(rows))
            .await
    }

    async fn swap_keys(&self, expected: u64, ring: Vec<u8>, _now: Timestamp) -> Answer<bool> {
        let run =
            move |rows: &mut RealmRows<&mut Writing<'_>>| rows::swap_keys(rows, expected, ring);
        self.write(StoreOperation::SwapKeys, run).await
    }

    async fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        takes: Option<OnceKey>,
        now: Timestamp,
    ) -> Answer<Option<Session>> {
        self.write(StoreOperation::Reauthenticate, move |rows| {
            rows::reauthenticate(rows, sid, auth_time, acr, takes.as_ref(), now)
        })
        .await
    }

    async fn attach(&self, sid: SessionId, device: Device, now: Timestamp) -> Answer<bool> {
        let run =
            move |rows: &mut RealmRows<&mut Writing<'_>>| rows::attach(rows, sid, device, now);
        self.write(StoreOperation::Attach, run).await
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Answer<()> {
        let run = move |rows: &mut RealmRows<&mut Writing<'_>>| rows::set_paused(rows, paused);
        self.write(StoreOperation::SetPaused, run).await?;
        self.logged.notify_waiters();
        Ok(())
    }
}
