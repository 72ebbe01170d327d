//! Single-use values, budgets and the key ring in memory.

use super::super::budget::Rate;
use super::super::{Limit, OnceValue, Spent, StoredKeys};
use super::state::State;
use crate::clock::Timestamp;

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
        let mut spent = Vec::with_capacity(limits.len());
        let mut refused = None;
        for rate in Rate::distinct(limits) {
            let place = (key.to_owned(), rate);
            let budget = self.budgets.get(&place).copied().unwrap_or_default();
            match budget.spend(cost, rate, now) {
                Ok(budget) => spent.push((place, budget)),
                Err(wait) => refused = refused.max(Some(wait)),
            }
        }
        if let Some(retry_after) = refused {
            return Spent::Refused { retry_after };
        }
        self.budgets.extend(spent);
        Spent::Allowed
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
