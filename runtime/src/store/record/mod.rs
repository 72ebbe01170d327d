//! The records that a store takes and returns: plain data.
//!
//! Records and most enums can be constructed and matched in full outside of this crate, on purpose:
//! a store has to keep every field and handle every case, so a store that does not know a new one
//! must not compile.

mod realm;
mod revocation;
mod rotation;
mod session;
mod token;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

pub use realm::*;
pub use revocation::*;
pub use rotation::*;
pub use session::*;
pub use token::*;

/// The answer of a healthy store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreHealth {
    /// `true` if there is at least one live session.
    pub has_live_sessions: bool,
    /// The time at which this release first opened the store, where it held sessions of a release
    /// before; `None` for a store that this release, or a later one, made.
    pub older_since: Option<Timestamp>,
}

/// The answer of an archive run: what it deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// The number of sessions.
    pub sessions: u64,
    /// The number of rows of the registry.
    pub tokens: u64,
    /// The number of single-use values, budgets and log entries.
    pub others: u64,
    /// `true` if the limit was reached, so that another run finds more.
    pub more: bool,
}

/// A value that is taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceValue {
    /// The purpose of the value. Values of two kinds do not conflict.
    pub kind: String,
    /// The SHA-256 of the secret that the caller who takes it must know.
    pub hash: [u8; 32],
    /// The content, for the caller who takes it.
    pub payload: Vec<u8>,
    /// The time at which the value ends.
    pub until: Timestamp,
    /// The mark of a subject to which the value is bound: it exists only while the subject's
    /// effective mark is this one. `None` for a value that is not bound.
    pub bound: Option<BoundMark>,
}

/// The place of a value that is taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// The purpose of the value.
    pub kind: String,
    /// The SHA-256 of the secret that the caller who takes it must know.
    pub hash: [u8; 32],
}

/// The mark of a subject, as it was when a value was made for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundMark {
    /// The subject.
    pub subject: String,
    /// The client whose epoch is part of the mark.
    pub client_id: String,
    /// The effective mark: [`SubjectState::mark`].
    pub mark: u64,
}

/// A budget: `burst` at once, refilled evenly over `period` (the generic cell rate algorithm),
/// exact to the millisecond and without drift. A key has a budget for each limit that it is spent
/// under; one that is given twice is spent from once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The amount that may be spent at once, at least one.
    pub burst: u32,
    /// The time that an empty budget takes to be full again, in whole milliseconds, at least one.
    pub period: Duration,
}

/// The answer to spending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The cost was spent under every limit.
    Allowed,
    /// Nothing was spent.
    Refused {
        /// The time, in whole milliseconds, after which the same cost would be allowed. A cost
        /// above the burst of a limit is never allowed.
        retry_after: Duration,
    },
}

/// The shared key ring, sealed by the gate.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys {
    /// The version, which grows by one at every swap.
    pub version: u64,
    /// The sealed ring.
    pub ring: Vec<u8>,
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKeys(version {})", self.version)
    }
}

/// The error of a store that could not decide: it is down, full, locked or broken. `Debug` also
/// prints everything that caused it.
pub struct StoreError {
    what: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Makes an error that names the operation, in lower case and without a full stop: "the store
    /// failed to read the session". [`StoreOperation`](super::StoreOperation) has the sentence of
    /// each operation.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// Adds the error of the store's library.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::error::Causes(Some(self)))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
