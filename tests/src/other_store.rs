//! A store in memory as another author might have written it: with a clock of its own, and with
//! operations that fail, hang or panic when a test wants them to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tollgate::clock::{Clock, Timestamp};
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::realm::RealmName;
use tollgate::store::{
    Archived, Limit, LogCursor, LogPage, MemoryStore, NewSession, OnceKey, OnceValue, Opened,
    RealmClaim, RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session,
    SessionPage, SessionStore, Spent, StoreError, StoreHealth, StoredKeys, SubjectState,
    TokenQuery, TokenRecord,
};

/// The behaviour of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It runs.
    Run,
    /// It fails before it wrote anything.
    Fail,
    /// It never answers.
    Hang,
    /// It panics.
    Panic,
}

/// Decides what the operation of a name does.
type Script = Box<dyn FnMut(&'static str) -> Act + Send>;

/// The store. Clones share everything.
#[derive(Clone)]
pub struct OtherStore(Arc<Shared>);

struct Shared {
    store: MemoryStore,
    clock: Option<Clock>,
    script: Mutex<Script>,
    times: Mutex<Vec<(&'static str, Timestamp)>>,
}

impl OtherStore {
    /// A store without a clock of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::made(None)
    }

    /// A store with this clock.
    #[must_use]
    pub fn with_clock(clock: &Clock) -> Self {
        Self::made(Some(clock.clone()))
    }

    fn made(clock: Option<Clock>) -> Self {
        Self(Arc::new(Shared {
            store: MemoryStore::new(),
            clock,
            script: Mutex::new(Box::new(|_| Act::Run)),
            times: Mutex::default(),
        }))
    }

    /// Lets a script decide what each operation does.
    pub fn on_each(&self, script: impl FnMut(&'static str) -> Act + Send + 'static) {
        *self.0.script.lock().unwrap() = Box::new(script);
    }

    /// Lets every operation run.
    pub fn behave(&self) {
        self.on_each(|_| Act::Run);
    }

    /// Takes the times that `log_since` and `archive` got since the last call.
    #[must_use]
    pub fn times(&self) -> Vec<(&'static str, Timestamp)> {
        std::mem::take(&mut *self.0.times.lock().unwrap())
    }

    async fn begin(&self, name: &'static str) -> Result<(), StoreError> {
        let act = (self.0.script.lock().unwrap())(name);
        match act {
            Act::Run => Ok(()),
            Act::Fail => Err(StoreError::new("the store failed as the test wants it to")),
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("`{name}` panics as the test wants it to"),
        }
    }

    fn saw(&self, name: &'static str, now: Timestamp) {
        self.0.times.lock().unwrap().push((name, now));
    }
}

impl Default for OtherStore {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! delegate {
    ({ $($own:tt)* } $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        impl SessionStore for OtherStore {
            $($own)*

            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                self.begin(stringify!($name)).await?;
                self.0.store.$name($($arg),*).await
            })+
        }
    };
}

delegate! {
    {
        fn realm(&self, name: &RealmName) -> Self {
            Self(Arc::new(Shared {
                store: self.0.store.realm(name),
                clock: self.0.clock.clone(),
                script: Mutex::new(Box::new(|_| Act::Run)),
                times: Mutex::default(),
            }))
        }

        async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
            self.begin("now").await?;
            Ok(self.0.clock.as_ref().map(Clock::now))
        }

        async fn log_since(
            &self,
            cursor: LogCursor,
            now: Timestamp,
        ) -> Result<LogPage, StoreError> {
            self.begin("log_since").await?;
            self.saw("log_since", now);
            self.0.store.log_since(cursor, now).await
        }

        async fn archive(
            &self,
            before: Timestamp,
            limit: u32,
            now: Timestamp,
        ) -> Result<Archived, StoreError> {
            self.begin("archive").await?;
            self.saw("archive", now);
            self.0.store.archive(before, limit, now).await
        }
    }
    migrate(now: Timestamp) -> ();
    realms() -> Vec<RealmRecord>;
    claim_realm(
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp
    ) -> RealmClaim;
    health(now: Timestamp) -> StoreHealth;
    open_session(new: NewSession, now: Timestamp) -> Opened;
    session(sid: SessionId, now: Timestamp) -> Option<Session>;
    rotate(rotation: RotationWrite, now: Timestamp) -> Rotated;
    confirm(seen: Vec<(SessionId, u32)>, now: Timestamp) -> u64;
    revoke(revocation: Revocation, now: Timestamp) -> Revoked;
    sessions_of(subject: String, page: SessionPage, now: Timestamp) -> Vec<Session>;
    subject(subject: String, client_id: String) -> SubjectState;
    record_tokens(tokens: Vec<TokenRecord>, now: Timestamp) -> u64;
    tokens(query: TokenQuery, now: Timestamp) -> Vec<TokenRecord>;
    changed(cursor: LogCursor, patience: Duration) -> ();
    consume_once(key: [u8; 32], until: Timestamp, now: Timestamp) -> bool;
    put_once(value: OnceValue, now: Timestamp) -> bool;
    take_once(kind: String, hash: [u8; 32], now: Timestamp) -> Option<Vec<u8>>;
    read_once(kind: String, hash: [u8; 32], now: Timestamp) -> Option<Vec<u8>>;
    spend(key: String, cost: u32, limits: Vec<Limit>, now: Timestamp) -> Spent;
    keys() -> StoredKeys;
    swap_keys(expected: u64, ring: Vec<u8>, now: Timestamp) -> bool;
    reauthenticate(
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        takes: Option<OnceKey>,
        now: Timestamp
    ) -> Option<Session>;
    attach(sid: SessionId, device: Device, now: Timestamp) -> bool;
    set_paused(paused: bool, now: Timestamp) -> ();
}
