//! The handle that users hold: any store behind one type, through a private copy of the trait whose
//! futures are boxed.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::contract::SessionStore;
use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    Spent, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::{LiveGates, RealmName};

/// Any store. Cheap to clone; all clones are the same store.
///
/// Made of any type that implements [`SessionStore`], so that `.store(MemoryStore::new())` and
/// `.store(Store)` both work.
#[derive(Clone)]
pub struct Store {
    store: Arc<dyn BoxedStore>,
    /// The handle of the default realm.
    default: Arc<dyn BoxedStore>,
    name: &'static str,
    /// The gates on this store; shared by all clones, and by the handles of all realms.
    live: Arc<LiveGates>,
}

/// A store that a gate can be given: a [`Store`], or a type that implements [`SessionStore`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no store",
    label = "a gate cannot keep its sessions in this",
    note = "open one and await it: `.store(SqliteStore::open(\"tollgate.db\").await?)`, or \
            `MemoryStore::new()` for tests; a URL is opened with `Store::open(&settings).await?`"
)]
pub trait IntoStore {
    #[doc(hidden)]
    fn into_store(self) -> Store;
}

#[diagnostic::do_not_recommend]
impl<S: Into<Store>> IntoStore for S {
    fn into_store(self) -> Store {
        self.into()
    }
}

impl<S: SessionStore> From<S> for Store {
    fn from(store: S) -> Self {
        let store: Arc<dyn BoxedStore> = Arc::new(store);
        Self {
            default: Arc::clone(&store),
            store,
            name: type_name::<S>(),
            live: Arc::default(),
        }
    }
}

impl Store {
    /// Returns the handle of a realm of this store.
    #[must_use]
    pub fn realm(&self, realm: &RealmName) -> Self {
        Self {
            store: self.store.realm(realm),
            default: Arc::clone(&self.default),
            name: self.name,
            live: Arc::clone(&self.live),
        }
    }

    /// Returns the handle of the default realm of this store.
    pub(crate) fn default_realm(&self) -> Self {
        Self {
            store: Arc::clone(&self.default),
            ..self.clone()
        }
    }

    /// Returns the store as one in PostgreSQL, if it is one.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&self) -> Option<&super::PostgresStore> {
        self.store.as_any().downcast_ref()
    }

    /// Returns the gates that are running on this store.
    pub(crate) fn live(&self) -> &LiveGates {
        &self.live
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.name)
    }
}

/// An operation under way.
type BoxedOperation<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

macro_rules! operations {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        trait BoxedStore: Send + Sync {
            fn realm(&self, realm: &RealmName) -> Arc<dyn BoxedStore>;

            #[cfg(feature = "postgres")]
            fn as_any(&self) -> &dyn std::any::Any;

            $(fn $name(&self, $($arg: $ty),*) -> BoxedOperation<'_, $out>;)+
        }

        impl<S: SessionStore> BoxedStore for S {
            fn realm(&self, realm: &RealmName) -> Arc<dyn BoxedStore> {
                Arc::new(SessionStore::realm(self, realm))
            }

            #[cfg(feature = "postgres")]
            fn as_any(&self) -> &dyn std::any::Any {
                self
            }

            $(fn $name(&self, $($arg: $ty),*) -> BoxedOperation<'_, $out> {
                Box::pin(SessionStore::$name(self, $($arg),*))
            })+
        }

        #[allow(dead_code, reason = "which operations are called depends on the features")]
        impl Store {
            $(pub(crate) async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                self.store.$name($($arg),*).await
            })+
        }
    };
}

operations! {
    migrate(now: Timestamp) -> ();
    health(now: Timestamp) -> StoreHealth;
    now() -> Option<Timestamp>;
    open_session(new: NewSession, now: Timestamp) -> Opened;
    session(sid: SessionId, now: Timestamp) -> Option<Session>;
    rotate(rotation: RotationWrite, now: Timestamp) -> Rotated;
    confirm(seen: Vec<(SessionId, u32)>, now: Timestamp) -> u64;
    revoke(revocation: Revocation, now: Timestamp) -> Revoked;
    sessions_of(subject: String, page: SessionPage, now: Timestamp) -> Vec<Session>;
    subject(subject: String, client_id: String) -> SubjectState;
    record_tokens(tokens: Vec<TokenRecord>, now: Timestamp) -> u64;
    tokens(query: TokenQuery, now: Timestamp) -> Vec<TokenRecord>;
    log_since(cursor: LogCursor, now: Timestamp) -> LogPage;
    changed(cursor: LogCursor, patience: Duration) -> ();
    archive(before: Timestamp, limit: u32, now: Timestamp) -> Archived;
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
    realms() -> Vec<RealmRecord>;
    claim_realm(
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp
    ) -> RealmClaim;
}
