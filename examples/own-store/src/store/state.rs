//! Everything that the store holds, and what looks at all of it: epochs, health, the archive.

use std::collections::{BTreeSet, HashMap};

use super::budget::{Budget, Rate};
use super::log::Log;
use tollgate::clock::Timestamp;
use tollgate::id::{SessionId, TokenId};
use tollgate::store::{Archived, Session, StoreHealth, StoredKeys, TokenRecord};

#[derive(Default)]
pub(super) struct State {
    /// The rows; their `epoch` is filled in when they are read.
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) by_subject: HashMap<String, BTreeSet<SessionId>>,
    pub(super) subjects: HashMap<String, Subject>,
    pub(super) log: Log,
    pub(super) registry: HashMap<TokenId, TokenRecord>,
    pub(super) consumed: HashMap<[u8; 32], Timestamp>,
    pub(super) once: HashMap<(String, [u8; 32]), (Vec<u8>, Timestamp)>,
    pub(super) budgets: HashMap<(String, Rate), Budget>,
    pub(super) ring: Option<StoredKeys>,
}

/// What a subject-wide revocation leaves behind. It outlives the subject's sessions.
#[derive(Clone, Copy, Default)]
pub(super) struct Subject {
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

    pub(super) fn archive(&mut self, before: Timestamp, limit: u32, now: Timestamp) -> Archived {
        let mut room = Room {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            more: false,
        };

        let gone = room.pick(
            self.sessions
                .values()
                .filter(|row| row.abs_exp < before)
                .map(|row| row.sid),
        );
        for sid in &gone {
            self.forget_session(*sid);
        }
        let spent = room.pick(self.spent_tokens(before, now));
        self.registry.retain(|jti, _| !spent.contains(jti));

        let consumed = room.pick(
            self.consumed
                .iter()
                .filter(|(_, until)| **until < before)
                .map(|(key, _)| *key),
        );
        self.consumed.retain(|key, _| !consumed.contains(key));
        let once = room.pick(
            self.once
                .iter()
                .filter(|(_, (_, until))| *until < before)
                .map(|(key, _)| key.clone()),
        );
        self.once.retain(|key, _| !once.contains(key));
        let budgets = room.pick(
            self.budgets
                .iter()
                .filter(|(_, budget)| budget.full_at < before)
                .map(|(key, _)| key.clone()),
        );
        self.budgets.retain(|key, _| !budgets.contains(key));
        let dead = room.pick(self.log.dead(before));
        self.log.forget(&dead);

        Archived {
            sessions: count(gone.len()),
            tokens: count(spent.len()),
            others: count(consumed.len() + once.len() + budgets.len() + dead.len()),
            more: room.more,
        }
    }

    fn forget_session(&mut self, sid: SessionId) {
        let Some(row) = self.sessions.remove(&sid) else {
            return;
        };
        if let Some(of_subject) = self.by_subject.get_mut(&row.subject) {
            of_subject.remove(&sid);
            if of_subject.is_empty() {
                self.by_subject.remove(&row.subject);
            }
        }
    }
}

/// How many rows of each kind an archive run may take.
struct Room {
    limit: usize,
    more: bool,
}

impl Room {
    fn pick<K: std::hash::Hash + Eq>(
        &mut self,
        mut keys: impl Iterator<Item = K>,
    ) -> std::collections::HashSet<K> {
        let picked = keys.by_ref().take(self.limit).collect();
        self.more |= keys.next().is_some();
        picked
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
