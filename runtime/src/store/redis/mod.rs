//! The store of many nodes on one Redis: every operation is one Lua script.

mod archive;
mod connect;
mod link;
mod log;
mod once;
mod open;
mod realm;
mod reply;
mod revoke;
mod row;
mod run;
mod schema;
mod script;
mod sentinel;
mod server;
mod session;
mod token;
mod wake;

use std::time::Duration;

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    Spent, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};
use super::shared::operation::{Cause, StoreOperation};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::RealmName;

pub use open::{RedisOptions, RedisStore};

impl SessionStore for RedisStore {
    fn realm(&self, realm: &RealmName) -> Self {
        self.in_realm(realm)
    }

    async fn realms(&self) -> Result<Vec<RealmRecord>, StoreError> {
        let default = self.default_realm();
        let realms = async {
            default.learn().await?;
            default.claimed().await
        };
        realms
            .await
            .map(|(realms, _)| realms)
            .map_err(|error| StoreOperation::Realms.failed(error))
    }

    async fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> Result<RealmClaim, StoreError> {
        self.default_realm()
            .claim(expected.as_ref(), &new, now)
            .await
            .map_err(|error| StoreOperation::ClaimRealm.failed(error))
    }

    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        let founded: Result<(), Cause> = async {
            self.default_realm().ensure_founded(now).await?;
            if self.is_of_a_realm() {
                self.ensure_founded(now).await?;
            }
            Ok(())
        }
        .await;
        founded.map_err(|error| StoreOperation::Migrate.failed(error))
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.run(StoreOperation::Health, schema::health(now), schema::healthy)
            .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.clock()
            .await
            .map_err(|error| StoreOperation::Now.failed(error))
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        self.run(
            StoreOperation::OpenSession,
            session::open(new, now),
            session::opened,
        )
        .await
    }

    async fn session(&self, sid: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.run(
            StoreOperation::Session,
            Ok(session::read(sid, now)),
            row::session,
        )
        .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        self.run(
            StoreOperation::Rotate,
            session::rotate(rotation, now),
            session::rotated,
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
            session::confirm(seen, now),
            reply::number,
        )
        .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        self.run(
            StoreOperation::Revoke,
            revoke::revoke(revocation, self.default_prefix(), now),
            revoke::revoked,
        )
        .await
    }

    async fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.run(
            StoreOperation::SessionsOf,
            session::of_subject(&subject, page, now),
            session::oldest_first,
        )
        .await
    }

    async fn subject(
        &self,
        subject: String,
        client_id: String,
    ) -> Result<SubjectState, StoreError> {
        self.run(
            StoreOperation::Subject,
            Ok(revoke::subject(subject, client_id)),
            revoke::subject_state,
        )
        .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(
            StoreOperation::RecordTokens,
            Ok(token::record(tokens, now)),
            reply::number,
        )
        .await
    }

    async fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        let limit = query.limit;
        self.run(StoreOperation::Tokens, token::find(query, now), |rows| {
            token::found(rows, limit)
        })
        .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.follow(&cursor, now)
            .await
            .map_err(|error| StoreOperation::LogSince.failed(error))
    }

    async fn changed(&self, cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        self.server
            .waiting
            .wait(
                &self.server.link,
                &self.namespace.prefix,
                &log::behind(&cursor),
                patience,
            )
            .await
            .map_err(|error| StoreOperation::Changed.failed(error))
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        self.run(
            StoreOperation::Archive,
            archive::archive(before, limit, now),
            archive::archived,
        )
        .await
    }

    async fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(
            StoreOperation::ConsumeOnce,
            once::consume(key, until, now),
            reply::done,
        )
        .await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.run(StoreOperation::PutOnce, once::put(value, now), reply::done)
            .await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(
            StoreOperation::TakeOnce,
            once::take(&kind, hash, now),
            reply::bytes_or_none,
        )
        .await
    }

    async fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(
            StoreOperation::ReadOnce,
            once::read(&kind, hash, now),
            reply::bytes_or_none,
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
        self.run(
            StoreOperation::Spend,
            once::spend(&key, cost, &limits, now),
            once::spent,
        )
        .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.default_realm()
            .run(StoreOperation::Keys, Ok(once::keys()), once::stored_keys)
            .await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.default_realm()
            .run(
                StoreOperation::SwapKeys,
                Ok(once::swap_keys(expected, ring, now)),
                reply::done,
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
        let call = session::reauthenticate(sid, (auth_time, acr), takes.as_ref(), now);
        self.run(StoreOperation::Reauthenticate, call, row::session)
            .await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(
            StoreOperation::Attach,
            session::attach(sid, &device, now),
            reply::done,
        )
        .await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<(), StoreError> {
        self.run(
            StoreOperation::SetPaused,
            log::set_paused(paused, now),
            |_| Ok(()),
        )
        .await
    }
}
