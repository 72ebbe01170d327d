//! What goes into a store and what comes out: plain data, no behaviour beyond reading it.

mod revocation;
mod rotation;
mod session;
mod token;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;

pub use revocation::*;
pub use rotation::*;
pub use session::*;
pub use token::*;

/// What a healthy store says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreHealth {
    /// Whether there is at least one live session.
    pub has_live_sessions: bool,
}

/// What an archive run deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// Sessions.
    pub sessions: u64,
    /// Rows of the registry.
    pub tokens: u64,
    /// Single-use values, budgets and log entries.
    pub others: u64,
    /// Whether a limit was reached, so that another run finds more.
    pub more: bool,
}

/// A value to be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceValue {
    /// What it is for; values of two kinds never meet.
    pub kind: String,
    /// SHA-256 of what its taker must know.
    pub hash: [u8; 32],
    /// What the taker gets.
    pub payload: Vec<u8>,
    /// Until when.
    pub until: Timestamp,
}

/// A budget: `burst` at once, refilled evenly over `period` (the generic cell rate algorithm),
/// exact to the millisecond and without drift. A key has a budget for each limit that it is spent
/// under; one that is given twice is spent from once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much may be spent at once, at least one.
    pub burst: u32,
    /// How long an empty budget takes to be full again, in whole milliseconds, at least one.
    pub period: Duration,
}

/// How spending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was spent under every limit.
    Allowed,
    /// Nothing was spent.
    Refused {
        /// After exactly this long, in whole milliseconds, the same cost would be allowed; where it
        /// is above a limit's burst, it never is.
        retry_after: Duration,
    },
}

/// The shared key ring, sealed by the gate.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys {
    /// Grows by one at every swap.
    pub version: u64,
    /// The sealed ring.
    pub ring: Vec<u8>,
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKeys(version {})", self.version)
    }
}

/// Nobody could decide: the store is down, full, locked or broken.
#[derive(Debug)]
pub struct StoreError {
    what: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Says what was being done, in lower case and without a full stop: "the session could not be
    /// read".
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// Adds what the store's library said.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
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
