//! Everything that the store in memory holds, and what looks at all of it: epochs and health.

use std::collections::{BTreeSet, HashMap};

use super::log::Log;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::budget::{BudgetRate, BudgetState};
use crate::store::record::{Session, StoreHealth, StoredKeys, TokenRecord};

#[derive(Default)]
pub(super) struct State {
    /// The rows; their `epoch` is filled in when they are read.
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) by_subject: HashMap<String, BTreeSet<SessionId>>,
    pub(super) subjects: HashMap<String, SubjectRow>,
    pub(super) log: Log,
    pub(super) registry: HashMap<TokenId, TokenRecord>,
    pub(super) consumed: HashMap<[u8; 32], Timestamp>,
    pub(super) once: HashMap<(String, [u8; 32]), (Vec<u8>, Timestamp)>,
    pub(super) budgets: HashMap<(String, BudgetRate), BudgetState>,
    pub(super) ring: Option<StoredKeys>,
}

/// What a subject-wide revocation leaves behind. It outlives the subject's sessions.
#[derive(Clone, Copy, Default)]
pub(super) struct SubjectRow {
    pub(super) epoch: u64,
    /// Never, where it is 1970.
    pub(super) changed_at: Timestamp,
}

impl State {
    /// The effective epoch of a subject's session for a client.
    pub(super) fn epoch(&self, subject: &str, client: &str) -> u64 {
        let own = self.subjects.get(subject).map_or(0, |row| row.epoch);
        own.max(self.log.client(client)).max(self.log.everything())
    }

    pub(super) fn health(&self, now: Timestamp) -> StoreHealth {
        StoreHealth {
            has_live_sessions: self.sessions.values().any(|row| row.is_live(now)),
        }
    }
}

/// Returns a number of rows as answers have it.
pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
