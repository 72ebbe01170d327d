//! A store between the gate and a real one: it counts and records operations, stops before and
//! after each, fails and crashes them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tollgate::clock::Timestamp;
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::realm::RealmName;
use tollgate::store::{
    Archived, Fact, Limit, LogCursor, LogPage, MemoryStore, NewSession, OnceKey, OnceValue, Opened,
    PostgresStore, RealmClaim, RealmIdentity, RealmRecord, RedisStore, Revocation, Revoked,
    Rotated, RotationStep, RotationWrite, Session, SessionPage, SessionStore, Spent, SqliteStore,
    Store, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};

/// A store that a test can look into and interfere with. Clones share everything.
#[derive(Clone)]
pub(crate) struct Probe(Arc<Shared>);

struct Shared {
    backing: Backing,
    /// True while operations stop at their points.
    stepping: AtomicBool,
    /// True where the future that was polled last stands at a point.
    reached: AtomicBool,
    fault: Mutex<Option<(usize, Fault)>>,
    watched: Mutex<Vec<SessionId>>,
    log: Mutex<Vec<Op>>,
}

#[derive(Clone)]
pub(crate) enum Backing {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
    Redis(RedisStore),
}

/// Asks whichever store there is.
macro_rules! ask {
    ($backing:expr, $store:ident => $ask:expr) => {
        match $backing {
            Backing::Memory($store) => $ask,
            Backing::Sqlite($store) => $ask,
            Backing::Postgres($store) => $ask,
            Backing::Redis($store) => $ask,
        }
    };
}

/// The way in which an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Before anything was written.
    Before,
    /// After the commit, whose answer gets lost.
    After,
}

/// An operation that was done, and how the sessions that are watched stood right after it.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) name: &'static str,
    pub(crate) detail: Detail,
    pub(crate) rows: Vec<Session>,
}

/// The facts of an operation that tests ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// A compare-and-swap that was done: of this session, at this time.
    Advanced(SessionId, Timestamp),
    Reminted(SessionId, Timestamp),
    Held(SessionId),
    Extended(SessionId, Timestamp),
    /// One that was lost.
    Lost,
}

impl Probe {
    pub(crate) fn on(backing: Backing) -> Self {
        Self(Arc::new(Shared {
            backing,
            stepping: AtomicBool::new(false),
            reached: AtomicBool::new(false),
            fault: Mutex::default(),
            watched: Mutex::default(),
            log: Mutex::default(),
        }))
    }

    /// Forgets what was recorded and planned.
    pub(crate) fn reset(&self) {
        self.set_stepping(false);
        self.take_reached();
        *self.0.fault.lock().unwrap() = None;
        self.0.watched.lock().unwrap().clear();
        self.0.log.lock().unwrap().clear();
    }

    /// From here on the rows of this session are recorded after every operation.
    pub(crate) fn watch(&self, sid: SessionId) {
        self.0.watched.lock().unwrap().push(sid);
    }

    /// Lets operations stop before and after they run, or not. Returns whether they did before.
    pub(crate) fn set_stepping(&self, stepping: bool) -> bool {
        self.0.stepping.swap(stepping, Ordering::SeqCst)
    }

    /// Returns whether the future that was polled last stands at a point, and forgets it.
    pub(crate) fn take_reached(&self) -> bool {
        self.0.reached.swap(false, Ordering::SeqCst)
    }

    /// Lets the operation after `skip` others fail.
    pub(crate) fn fail(&self, skip: usize, fault: Fault) {
        *self.0.fault.lock().unwrap() = Some((skip, fault));
    }

    /// Returns whether the operation that was to fail has not come yet.
    pub(crate) fn is_fault_pending(&self) -> bool {
        self.0.fault.lock().unwrap().is_some()
    }

    /// Returns the operations so far.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.0.log.lock().unwrap().clone()
    }

    /// Returns the number of operations so far.
    pub(crate) fn count(&self) -> usize {
        self.0.log.lock().unwrap().len()
    }

    /// The names of what has been done since there were `since` operations.
    pub(crate) fn names(&self, since: usize) -> Vec<&'static str> {
        self.0
            .log
            .lock()
            .unwrap()
            .iter()
            .skip(since)
            .map(|op| op.name)
            .collect()
    }

    /// A session's row, read past everything.
    pub(crate) async fn row(&self, sid: SessionId) -> Option<Session> {
        ask!(&self.0.backing, store => store.session(sid, Timestamp::default()).await).unwrap()
    }

    /// The end of the log.
    pub(crate) async fn cursor(&self) -> LogCursor {
        self.page(LogCursor::START).await.cursor
    }

    /// Returns the facts that the log got since then.
    pub(crate) async fn logged(&self, since: &LogCursor) -> Vec<Fact> {
        self.page(since.clone())
            .await
            .entries
            .into_iter()
            .map(|entry| entry.fact)
            .collect()
    }

    async fn page(&self, since: LogCursor) -> LogPage {
        ask!(&self.0.backing, store => store.log_since(since, Timestamp::default()).await).unwrap()
    }

    /// Waits until everything is done that was queued, also for those who did not wait.
    pub(crate) async fn flush(&self) {
        ask!(&self.0.backing, store => store.health(Timestamp::default()).await).unwrap();
    }

    /// The store itself, to write rows by hand.
    pub(crate) fn bare(&self) -> Self {
        Self::on(self.0.backing.clone())
    }

    /// Stops the polled future once, if operations are stepped.
    pub(crate) async fn point(&self) {
        if !self.0.stepping.load(Ordering::SeqCst) {
            return;
        }
        let mut passed = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut passed, true) {
                return Poll::Ready(());
            }
            self.0.reached.store(true, Ordering::SeqCst);
            Poll::Pending
        })
        .await;
    }

    async fn before(&self, name: &str) -> Result<(), StoreError> {
        if STEPPED.contains(&name) {
            self.point().await;
            if self.fault_is_due(Fault::Before) {
                return Err(StoreError::new("the store is down"));
            }
        }
        Ok(())
    }

    async fn after(&self, name: &'static str, detail: Detail) -> Result<(), StoreError> {
        let watched = self.0.watched.lock().unwrap().clone();
        let mut rows = Vec::new();
        for sid in watched {
            rows.extend(self.row(sid).await);
        }
        self.0.log.lock().unwrap().push(Op { name, detail, rows });
        if STEPPED.contains(&name) {
            let is_due = self.fault_is_due(Fault::After);
            self.point().await;
            if is_due {
                return Err(StoreError::new("the connection broke"));
            }
        }
        Ok(())
    }

    fn fault_is_due(&self, moment: Fault) -> bool {
        let mut fault = self.0.fault.lock().unwrap();
        match &mut *fault {
            Some((0, due)) if *due == moment => {
                *fault = None;
                true
            }
            Some((skip, _)) if moment == Fault::After && *skip > 0 => {
                *skip -= 1;
                false
            }
            _ => false,
        }
    }
}

impl From<&Probe> for Store {
    fn from(probe: &Probe) -> Self {
        probe.clone().into()
    }
}

macro_rules! delegate {
    ({ $($own:tt)* } $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        impl SessionStore for Probe {
            $($own)*

            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                self.before(stringify!($name)).await?;
                let answer = ask!(&self.0.backing, store => store.$name($($arg),*).await);
                self.after(stringify!($name), Detail::None).await?;
                answer
            })+
        }
    };
}

delegate! {
    {
        fn realm(&self, realm: &RealmName) -> Self {
            Self::on(match &self.0.backing {
                Backing::Memory(store) => Backing::Memory(store.realm(realm)),
                Backing::Sqlite(store) => Backing::Sqlite(store.realm(realm)),
                Backing::Postgres(store) => Backing::Postgres(store.realm(realm)),
                Backing::Redis(store) => Backing::Redis(store.realm(realm)),
            })
        }

        /// No operation of a request, and none that a schedule has anything to do with.
        async fn changed(&self, cursor: LogCursor, patience: std::time::Duration) -> Result<(), StoreError> {
            ask!(&self.0.backing, store => store.changed(cursor, patience).await)
        }

        async fn rotate(&self, rotation: RotationWrite, now: Timestamp) -> Result<Rotated, StoreError> {
            self.before("rotate").await?;
            let done = match rotation.step {
                RotationStep::Advance { .. } => Detail::Advanced(rotation.sid, now),
                RotationStep::Remint { .. } => Detail::Reminted(rotation.sid, now),
                RotationStep::Hold { .. } => Detail::Held(rotation.sid),
                RotationStep::Slide { .. } => Detail::Extended(rotation.sid, now),
            };
            let answer = ask!(&self.0.backing, store => store.rotate(rotation, now).await);
            let detail = match answer {
                Ok(Rotated::Done) => done,
                Ok(Rotated::Lost) => Detail::Lost,
                Err(_) => Detail::None,
            };
            self.after("rotate", detail).await?;
            answer
        }
    }
    realms() -> Vec<RealmRecord>;
    claim_realm(expected: Option<RealmIdentity>, new: RealmRecord, now: Timestamp) -> RealmClaim;
    migrate(now: Timestamp) -> ();
    health(now: Timestamp) -> StoreHealth;
    now() -> Option<Timestamp>;
    open_session(new: NewSession, now: Timestamp) -> Opened;
    session(sid: SessionId, now: Timestamp) -> Option<Session>;
    confirm(seen: Vec<(SessionId, u32)>, now: Timestamp) -> u64;
    revoke(revocation: Revocation, now: Timestamp) -> Revoked;
    sessions_of(subject: String, page: SessionPage, now: Timestamp) -> Vec<Session>;
    subject(subject: String, client_id: String) -> SubjectState;
    record_tokens(tokens: Vec<TokenRecord>, now: Timestamp) -> u64;
    tokens(query: TokenQuery, now: Timestamp) -> Vec<TokenRecord>;
    log_since(cursor: LogCursor, now: Timestamp) -> LogPage;
    archive(before: Timestamp, limit: u32, now: Timestamp) -> Archived;
    consume_once(key: [u8; 32], until: Timestamp, now: Timestamp) -> bool;
    put_once(value: OnceValue, now: Timestamp) -> bool;
    take_once(kind: String, hash: [u8; 32], now: Timestamp) -> Option<Vec<u8>>;
    read_once(kind: String, hash: [u8; 32], now: Timestamp) -> Option<Vec<u8>>;
    spend(key: String, cost: u32, limits: Vec<Limit>, now: Timestamp) -> Spent;
    keys() -> StoredKeys;
    swap_keys(expected: u64, ring: Vec<u8>, now: Timestamp) -> bool;
    reauthenticate(sid: SessionId, auth_time: Timestamp, acr: Option<String>, takes: Option<OnceKey>, now: Timestamp) -> Option<Session>;
    attach(sid: SessionId, device: Device, now: Timestamp) -> bool;
    set_paused(paused: bool, now: Timestamp) -> ();
}

/// The operations of requests, which stop and fail. Those of tasks and of the start run through.
const STEPPED: &[&str] = &[
    "open_session",
    "session",
    "rotate",
    "revoke",
    "reauthenticate",
];
