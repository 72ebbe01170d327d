//! The stores of sessions, revocations and single-use values: the contract, the handle, the
//! implementations.
//!
//! Users hold a [`Store`]. Authors of stores implement [`SessionStore`]; [`rows`] does it for an
//! engine that keeps rows under keys, and the `conformance` suite is the contract in executable
//! form.

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "redis")))]
mod absent;
mod budget;
mod choose;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod everywhere;
mod handle;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(feature = "redis")]
mod redis;
pub mod rows;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use budget::{BudgetRate, BudgetState};
#[cfg(feature = "cli")]
pub(crate) use choose::{schema_script, sqlite_path};
#[cfg(feature = "cli")]
pub(crate) use sqlite::holds_tables;

#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStore};
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
pub use absent::PostgresStore;
#[cfg(not(feature = "redis"))]
#[doc(hidden)]
pub use absent::RedisStore;
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
pub use absent::SqliteStore;
pub use contract::SessionStore;
#[cfg(feature = "cli")]
pub(crate) use everywhere::RealmAction;
pub use everywhere::{Everywhere, Stopped};
pub use handle::{IntoStore, Store};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
#[doc(hidden)]
pub use postgres::sqlx;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore, ProgramTransaction};
pub use record::*;
pub use shared::operation::StoreOperation;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};

/// The former name of [`RotationWrite`].
#[deprecated(since = "0.1.0", note = "use `RotationWrite`")]
pub type Rotation = RotationWrite;
/// The former name of [`RotationStep`].
#[deprecated(since = "0.1.0", note = "use `RotationStep`")]
pub type Step = RotationStep;
/// The former name of [`StoredTokenKind`].
#[deprecated(since = "0.1.0", note = "use `StoredTokenKind`")]
pub type TokenKind = StoredTokenKind;
