//! The token registry in memory.

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use super::state::State;
use crate::clock::Timestamp;
use crate::store::record::{TokenQuery, TokenRecord};

impl State {
    pub(super) fn record_tokens(&mut self, tokens: Vec<TokenRecord>) -> u64 {
        let mut new = 0;
        for token in tokens {
            if let Entry::Vacant(place) = self.registry.entry(token.jti) {
                place.insert(token);
                new += 1;
            }
        }
        new
    }

    pub(super) fn tokens(&self, query: &TokenQuery, now: Timestamp) -> Vec<TokenRecord> {
        let tree = query.tree.map(|root| {
            let tree = TokenRecord::tree(root, self.registry.values());
            tree.into_iter().collect::<HashSet<_>>()
        });
        let mut rows: Vec<_> = self
            .registry
            .values()
            .filter(|row| query.matches(row))
            .filter(|row| tree.as_ref().is_none_or(|tree| tree.contains(&row.jti)))
            .filter(|row| {
                let session = row.sid.and_then(|sid| self.sessions.get(&sid));
                let is_active = row.is_active(session, now);
                query.active.is_none_or(|active| active == is_active)
            })
            .cloned()
            .collect();
        rows.sort_unstable_by_key(TokenRecord::place);
        rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        rows
    }
}
