//! The token registry in memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::super::{Session, TokenQuery, TokenRecord};
use super::state::State;
use crate::clock::Timestamp;
use crate::id::TokenId;

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
        let tree = query
            .tree
            .map(|root| self.tree(root).into_iter().collect::<HashSet<_>>());
        let mut rows: Vec<_> = self
            .registry
            .values()
            .filter(|row| query.jti.is_none_or(|jti| row.jti == jti))
            .filter(|row| {
                query
                    .after
                    .is_none_or(|place| (row.issued_at, row.jti) > place)
            })
            .filter(|row| {
                query
                    .subject
                    .as_ref()
                    .is_none_or(|subject| row.subject == *subject)
            })
            .filter(|row| query.sid.is_none_or(|sid| row.sid == Some(sid)))
            .filter(|row| query.device_id.is_none() || row.device_id == query.device_id)
            .filter(|row| tree.as_ref().is_none_or(|tree| tree.contains(&row.jti)))
            .filter(|row| {
                query
                    .active
                    .is_none_or(|active| self.is_active(row, now) == active)
            })
            .cloned()
            .collect();
        rows.sort_unstable_by_key(|row| (row.issued_at, row.jti));
        rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        rows
    }

    /// A token and its descendants, each once, the root first. The root need not be registered.
    pub(super) fn tree(&self, root: TokenId) -> Vec<TokenId> {
        let mut children: HashMap<TokenId, Vec<TokenId>> = HashMap::new();
        for row in self.registry.values() {
            if let Some(parent) = row.parent {
                children.entry(parent).or_default().push(row.jti);
            }
        }
        let mut tree = vec![root];
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        while let Some(jti) = waiting.pop() {
            let children = children.get(&jti).into_iter().flatten();
            let fresh: Vec<_> = children.copied().filter(|jti| seen.insert(*jti)).collect();
            tree.extend(&fresh);
            waiting.extend(fresh);
        }
        tree
    }

    /// What the archive may have: rows that ran out and whose session, where they have one, is
    /// over. A row without a session stays while one below it does, so that a tree is never split.
    pub(super) fn spent_tokens(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> impl Iterator<Item = TokenId> {
        let is_live = move |sid| {
            self.sessions
                .get(&sid)
                .is_some_and(|session: &Session| session.is_live(now))
        };
        let stays =
            move |row: &TokenRecord| row.expires_at >= before || row.sid.is_some_and(is_live);
        let mut needed = HashSet::new();
        for row in self.registry.values().filter(|row| stays(row)) {
            let mut parent = row.parent;
            while let Some(above) = parent
                .and_then(|jti| self.registry.get(&jti))
                .filter(|row| row.sid.is_none())
            {
                parent = if needed.insert(above.jti) {
                    above.parent
                } else {
                    None
                };
            }
        }
        let rows = self
            .registry
            .values()
            .filter(move |row| !stays(row) && !needed.contains(&row.jti));
        rows.map(|row| row.jti)
    }

    fn is_active(&self, row: &TokenRecord, now: Timestamp) -> bool {
        let session_is_there = || match row.sid {
            Some(sid) => self
                .sessions
                .get(&sid)
                .is_some_and(|session| session.revoked.is_none()),
            None => true,
        };
        row.expires_at > now && row.revoked_at.is_none() && session_is_there()
    }
}
