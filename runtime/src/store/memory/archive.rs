//! Deleting from memory what nothing needs any more.

use std::collections::HashSet;
use std::hash::Hash;

use super::state::{State, count};
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::store::record::{Archived, TokenRecord};

impl State {
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
        let is_live = |sid| {
            let row = self.sessions.get(&sid);
            row.is_some_and(|row| row.is_live(now))
        };
        let spent = TokenRecord::archivable(self.registry.values(), before, is_live);
        let spent = room.pick(spent.into_iter());
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
    /// Whether there were more.
    more: bool,
}

impl Room {
    /// Takes as many keys as there is room for.
    fn pick<K: Hash + Eq>(&mut self, mut keys: impl Iterator<Item = K>) -> HashSet<K> {
        let picked = keys.by_ref().take(self.limit).collect();
        self.more |= keys.next().is_some();
        picked
    }
}
