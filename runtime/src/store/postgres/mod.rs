//! The store that several machines share: sessions in a PostgreSQL database.

mod archive;
mod asked;
mod fault;
mod lent;
mod log;
mod once;
mod open;
mod parameters;
mod pool;
mod realm;
mod revoke;
mod row;
mod run;
pub(super) mod schema;
mod server;
mod session;
mod token;
mod wake;

#[doc(no_inline)]
pub use sqlx;
use std::sync::Arc;
use std::time::Duration;

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    Spent, StoreError, StoreHealth, StoredKeys, SubjectState, Target, TokenQuery, TokenRecord,
};
use super::shared::operation::StoreOperation;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::RealmName;
use run::Mode;

pub use lent::ProgramTransaction;
pub use open::{PostgresOptions, PostgresStore};

impl SessionStore for PostgresStore {
    fn realm(&self, realm: &RealmName) -> Self {
        Self {
            database: Arc::clone(&self.database),
            namespace: self.database.namespace(realm),
        }
    }

    async fn realms(&self) -> Result<Vec<RealmRecord>, StoreError> {
        self.run(StoreOperation::Realms, Mode::Read, (), |db, ()| {
            Box::pin(realm::all(db))
        })
        .await
    }

    async fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> Result<RealmClaim, StoreError> {
        let args = (expected, new, now);
        self.run(
            StoreOperation::ClaimRealm,
            realm::CLAIMING,
            args,
            |db, (expected, new, now)| {
                Box::pin(realm::claim(db, expected.as_ref(), new.clone(), *now))
            },
        )
        .await
    }

    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        let args = (self.database.schema.clone(), now);
        self.run(
            StoreOperation::Migrate,
            schema::MIGRATING,
            args,
            |db, (schema, now)| Box::pin(schema::migrate(db, schema.as_deref(), *now)),
        )
        .await
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.run(StoreOperation::Health, Mode::Trial, now, |db, now| {
            Box::pin(schema::health(db, *now))
        })
        .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(StoreOperation::Now, Mode::Read, (), |db, ()| {
            Box::pin(schema::now(db))
        })
        .await
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        let opened = self
            .run(
                StoreOperation::OpenSession,
                Mode::WITHOUT_BUMPS,
                (new, now),
                |db, (new, now)| Box::pin(session::open(db, new, *now)),
            )
            .await?;
        if opened.ended_others() {
            self.notify();
        }
        Ok(opened)
    }

    async fn session(
        &self,
        sid: SessionId,
        _now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.run(StoreOperation::Session, Mode::Read, sid, |db, sid| {
            Box::pin(session::read(db, *sid))
        })
        .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        let mode = if session::only_reads(&rotation) {
            Mode::Read
        } else {
            Mode::Statement
        };
        self.run(
            StoreOperation::Rotate,
            mode,
            (rotation, now),
            |db, (rotation, now)| Box::pin(session::rotate(db, rotation, *now)),
        )
        .await
    }

    async fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(
            StoreOperation::Confirm,
            Mode::Statement,
            (seen, now),
            |db, (seen, now)| Box::pin(session::confirm(db, seen, *now)),
        )
        .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        let mode = revoke::mode(&revocation.target);
        let is_everywhere = matches!(revocation.target, Target::Key(_));
        let args = (revocation, now);
        let revoke: run::DatabaseOperation<_, _> =
            |db, (what, now): &(Revocation, Timestamp)| Box::pin(revoke::revoke(db, what, *now));
        let revoked = self.run(StoreOperation::Revoke, mode, args, revoke).await?;
        if is_everywhere {
            self.notify_everywhere();
        } else {
            self.notify();
        }
        Ok(revoked)
    }

    async fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.run(
            StoreOperation::SessionsOf,
            Mode::Read,
            (subject, page, now),
            |db, (subject, page, now)| Box::pin(session::live_of(db, subject, *page, *now)),
        )
        .await
    }

    async fn subject(
        &self,
        subject: String,
        client_id: String,
    ) -> Result<SubjectState, StoreError> {
        let args = (subject, client_id);
        self.run(
            StoreOperation::Subject,
            Mode::Read,
            args,
            |db, (subject, client)| Box::pin(revoke::subject(db, subject, client)),
        )
        .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(
            StoreOperation::RecordTokens,
            Mode::Statement,
            tokens,
            |db, tokens| Box::pin(token::record(db, tokens)),
        )
        .await
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        self.run(
            StoreOperation::Tokens,
            Mode::Read,
            (query, now),
            |db, (query, now)| Box::pin(token::find(db, query, *now)),
        )
        .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.run(
            StoreOperation::LogSince,
            Mode::Read,
            (cursor, now),
            |db, (cursor, now)| Box::pin(log::since(db, cursor, *now)),
        )
        .await
    }

    async fn changed(&self, _cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        self.namespace.wake.wait(patience).await;
        Ok(())
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        let args = (before.min(now), limit, now);
        self.run(
            StoreOperation::Archive,
            Mode::PLAIN,
            args,
            |db, (before, limit, now)| Box::pin(archive::archive(db, *before, *limit, *now)),
        )
        .await
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = (key, until, now);
        self.run(
            StoreOperation::ConsumeOnce,
            once::keeping(until, now),
            args,
            |db, (key, until, now)| Box::pin(once::consume(db, *key, *until, *now)),
        )
        .await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.run(
            StoreOperation::PutOnce,
            once::keeping(value.until, now),
            (value, now),
            |db, (value, now)| Box::pin(once::put(db, value, *now)),
        )
        .await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let args = (kind, hash, now);
        self.run(
            StoreOperation::TakeOnce,
            Mode::Statement,
            args,
            |db, (kind, hash, now)| Box::pin(once::take(db, kind, *hash, *now)),
        )
        .await
    }

    async fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let args = (kind, hash, now);
        self.run(
            StoreOperation::ReadOnce,
            Mode::Read,
            args,
            |db, (kind, hash, now)| Box::pin(once::read(db, kind, *hash, *now)),
        )
        .await
    }

    async fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let mode = once::spending(&key);
        let args = (key, cost, limits, now);
        self.run(
            StoreOperation::Spend,
            mode,
            args,
            |db, (key, cost, limits, now)| Box::pin(once::spend(db, key, *cost, limits, *now)),
        )
        .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.run(StoreOperation::Keys, Mode::Read, (), |db, ()| {
            Box::pin(once::keys(db))
        })
        .await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = (expected, ring);
        self.run(
            StoreOperation::SwapKeys,
            Mode::Statement,
            args,
            |db, (expected, ring)| Box::pin(once::swap_keys(db, *expected, ring)),
        )
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
        let args = (sid, (auth_time, acr), takes, now);
        let update: run::DatabaseOperation<_, _> =
            |db, (sid, proof, takes, now): &(_, session::Proof, Option<OnceKey>, Timestamp)| {
                Box::pin(session::reauthenticate(
                    db,
                    *sid,
                    proof,
                    takes.as_ref(),
                    *now,
                ))
            };
        self.run(
            StoreOperation::Reauthenticate,
            Mode::Statement,
            args,
            update,
        )
        .await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = (sid, device, now);
        self.run(
            StoreOperation::Attach,
            Mode::Statement,
            args,
            |db, (sid, device, now)| Box::pin(session::attach(db, *sid, device, *now)),
        )
        .await
    }

    async fn set_paused(&self, paused: bool, _now: Timestamp) -> Result<(), StoreError> {
        self.run(
            StoreOperation::SetPaused,
            Mode::Statement,
            paused,
            |db, paused| Box::pin(log::set_paused(db, *paused)),
        )
        .await?;
        self.notify();
        Ok(())
    }
}
