//! Single-use values, budgets and the key ring in memory.

use std::convert::Infallible;

use super::state::State;
use crate::clock::Timestamp;
use crate::store::budget::BudgetState;
use crate::store::record::{Limit, OnceValue, Spent, StoredKeys};

impl State {
    pub(super) fn consume_once(&mut self, key: [u8; 32], until: Timestamp, now: Timestamp) -> bool {
        if self.consumed.get(&key).is_some_and(|until| *until > now) {
            return false;
        }
        self.consumed.insert(key, until);
        true
    }

    pub(super) fn put_once(&mut self, value: OnceValue, now: Timestamp) -> bool {
        let key = (value.kind, value.hash);
        if self.once.get(&key).is_some_and(|(_, until)| *until > now) {
            return false;
        }
        self.once.insert(key, (value.payload, value.until));
        true
    }

    pub(super) fn take_once(
        &mut self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        let (payload, until) = self.once.remove(&(kind, hash))?;
        (until > now).then_some(payload)
    }

    pub(super) fn spend(
        &mut self,
        key: &str,
        cost: u32,
        limits: &[Limit],
        now: Timestamp,
    ) -> Spent {
        let read = |rate| -> Result<_, Infallible> {
            Ok(self.budgets.get(&(key.to_owned(), rate)).copied())
        };
        let Ok((answer, spent)) = BudgetState::spend(limits, cost, now, read);
        let spent = spent.into_iter();
        self.budgets
            .extend(spent.map(|(rate, budget)| ((key.to_owned(), rate), budget)));
        answer
    }

    pub(super) fn keys(&self) -> StoredKeys {
        self.ring.clone().unwrap_or(StoredKeys {
            version: 0,
            ring: Vec::new(),
        })
    }

    pub(super) fn swap_keys(&mut self, expected: u64, ring: Vec<u8>) -> bool {
        if self.keys().version != expected {
            return false;
        }
        self.ring = Some(StoredKeys {
            version: expected + 1,
            ring,
        });
        true
    }
}
