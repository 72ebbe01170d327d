//! The store of many nodes on one Redis: every operation is one Lua script.

mod connect;

mod link;
mod log;
mod once;
mod open;
mod reply;
mod revoke;
mod schema;
mod script;
mod session;
mod token;
mod wake;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::Value;

pub use open::RedisOptions;

use super::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceValue, Opened, Revocation, Revoked,
    Rotated, RotationWrite, Session, SessionStore, Spent, StoreError, StoreHealth, StoredKeys,
    TokenQuery, TokenRecord,
};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::Error;
use crate::id::SessionId;
use link::{Link, Problem};
use script::Call;

/// Sessions in Redis 6.2 or later, or in Valkey, for any number of nodes. Clones share their
/// connections.
///
/// Each operation is one Lua script, so no other one sees half of it. All keys begin with the
/// deployment's name as a hash tag, `{tollgate}:`, so that several deployments may share a server.
///
/// # What the server has to be
/// * `maxmemory-policy noeviction`: with any other, [`connect`](Self::connect) and `build()` are
///   refused. A session that vanished is closed, a revocation that vanished is open. A server that
///   is full answers [`StoreError`] until there is room.
/// * `appendonly yes` and `appendfsync always`, if an operation that was answered is to survive a
///   crash of the server. With `everysec` a crash takes up to a second of sign-ins, refreshes and
///   sign-outs with it, without an append-only file all since the last dump; `connect` warns about
///   that one.
/// * One primary. The scripts find the sessions of a subject by themselves, which Redis Cluster
///   allows within one hash slot only: a deployment lies in one slot and is not sharded.
///
/// # What replication does not promise
/// Redis replicates after it has answered. A failover may lose operations that were answered: a
/// rotation, whose client is then taken for somebody ahead of the store
/// (`store_rollback_suspected`, 401), or a revocation, which nodes that have read it keep in memory
/// and nodes that start later never learn of. [`RedisOptions::wait_for_replicas`] makes that
/// unlikely (`WAIT`), not impossible: nothing here is linearizable.
///
/// # When everything is gone
/// Where a node that runs finds Redis empty, or another deployment in its place, it founds the
/// deployment again and writes a global epoch that no token issued before can carry: every session
/// is over, and on every node every access token of before is refused as soon as it has read the
/// log. Where all nodes stop while Redis loses everything, nobody is left who knows of it: access
/// tokens that were revoked within the last access lifetime are accepted again until they run out,
/// and a revoked signing key until it is taken out of the ring.
///
/// # What it costs
/// Ending the sessions of a client, or all of them, walks every session that nobody ended, and
/// Redis does nothing else meanwhile.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    /// Host and port, or the socket's path.
    address: String,
    /// Whose data this handle works on: the id that was there when it was migrated.
    deployment: ArcSwapOption<String>,
    waiting: wake::Waiting,
}

impl RedisStore {
    /// Connects to `redis://[user:password@]host[:port][/database]`, over TLS to `rediss://…`, or
    /// to `redis+unix:///path`, with the default options.
    ///
    /// # Errors
    /// The address cannot be read or reached, the password is refused, the server is too old, is a
    /// replica, or may evict what it holds. The message names the server, never the password.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, Error> {
        Self::options(url).connect().await
    }

    /// Connects with other than the default options.
    #[must_use]
    pub fn options(url: impl AsRef<str>) -> RedisOptions {
        RedisOptions::new(url.as_ref())
    }

    /// Runs a call and reads what it answers.
    async fn run<T>(
        &self,
        what: &'static str,
        call: Outcome<Call>,
        read: impl FnOnce(Value) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        let answer = async { read(self.answer(&call?).await?) };
        answer
            .await
            .map_err(|error| StoreError::new(what).because(error))
    }

    /// What the script answered. Where the deployment was lost, it is founded again first; the
    /// script that noticed did nothing.
    async fn answer(&self, call: &Call) -> Outcome<Value> {
        let known = self
            .0
            .deployment
            .load_full()
            .ok_or("this deployment was never migrated")?;
        let mut answer = self.0.link.run(call, &known).await;
        if let (Err(Problem::Lost), Some(now)) = (&answer, call.now) {
            let found = self.found_again(&known, now).await?;
            answer = self.0.link.run(call, &found).await;
        }
        answer.map_err(|problem| match problem {
            Problem::Lost => "the deployment was lost, and is being founded again".into(),
            Problem::Failed(error) => error,
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RedisStore({}, {})",
            self.0.address,
            self.0.link.prefix().trim_end_matches(':')
        )
    }
}

/// What an operation answers, or why it does not.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl SessionStore for RedisStore {
    async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        self.settle(now)
            .await
            .map_err(|error| StoreError::new("the deployment could not be founded").because(error))
    }

    async fn health(&self, now: Timestamp) -> Result<StoreHealth, StoreError> {
        self.run(
            "the store could not be written to",
            schema::health(now),
            schema::has_live_sessions,
        )
        .await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.clock()
            .await
            .map_err(|error| StoreError::new("the server's clock could not be read").because(error))
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<Opened, StoreError> {
        self.run(
            "the session could not be opened",
            session::open(new, now),
            session::opened,
        )
        .await
    }

    async fn session(&self, sid: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.run(
            "the session could not be read",
            Ok(session::read(sid, now)),
            reply::session,
        )
        .await
    }

    async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
        self.run(
            "the session could not be rotated",
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
            "sessions could not be confirmed",
            session::confirm(seen, now),
            reply::number,
        )
        .await
    }

    async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<Revoked, StoreError> {
        self.run(
            "nothing could be revoked",
            revoke::revoke(revocation, now),
            revoke::revoked,
        )
        .await
    }

    async fn sessions_of(
        &self,
        subject: String,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.run(
            "the sessions could not be read",
            session::of_subject(&subject, now),
            session::oldest_first,
        )
        .await
    }

    async fn epoch_of(&self, subject: String, client_id: String) -> Result<u64, StoreError> {
        self.run(
            "the epoch could not be read",
            Ok(revoke::epoch_of(subject, client_id)),
            reply::number,
        )
        .await
    }

    async fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(
            "the tokens could not be recorded",
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
        self.run(
            "the tokens could not be read",
            token::find(query, now),
            |rows| token::found(rows, limit),
        )
        .await
    }

    async fn log_since(&self, cursor: LogCursor, now: Timestamp) -> Result<LogPage, StoreError> {
        self.follow(&cursor, now)
            .await
            .map_err(|error| StoreError::new("the log could not be read").because(error))
    }

    async fn changed(&self, cursor: LogCursor, patience: Duration) -> Result<(), StoreError> {
        self.wait(&cursor, patience)
            .await
            .map_err(|error| StoreError::new("the log could not be waited for").because(error))
    }

    async fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Archived, StoreError> {
        self.run(
            "nothing could be archived",
            schema::archive(before, limit, now),
            schema::archived,
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
            "the key could not be consumed",
            once::consume(key, until, now),
            reply::done,
        )
        .await
    }

    async fn put_once(&self, value: OnceValue, now: Timestamp) -> Result<bool, StoreError> {
        self.run(
            "the value could not be kept",
            once::put(value, now),
            reply::done,
        )
        .await
    }

    async fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(
            "the value could not be taken",
            once::take(&kind, hash, now),
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
            "the budget could not be spent from",
            once::spend(&key, cost, &limits, now),
            once::spent,
        )
        .await
    }

    async fn keys(&self) -> Result<StoredKeys, StoreError> {
        self.run(
            "the key ring could not be read",
            Ok(once::keys()),
            once::stored_keys,
        )
        .await
    }

    async fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(
            "the key ring could not be replaced",
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
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let call = session::reauthenticate(sid, auth_time, acr, now);
        self.run("the session could not be updated", call, reply::session)
            .await
    }

    async fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(
            "the device could not be attached",
            session::attach(sid, &device, now),
            reply::done,
        )
        .await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<(), StoreError> {
        self.run(
            "the deployment could not be paused or resumed",
            log::set_paused(paused, now),
            |_| Ok(()),
        )
        .await
    }
}
