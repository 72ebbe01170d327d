//! The rules of the token registry, for stores that look at its rows one by one.

use std::collections::{HashMap, HashSet};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{TokenQuery, TokenRecord};

impl TokenRecord {
    /// Returns the place of the row in the order of the registry.
    pub(in crate::store) const fn place(&self) -> (Timestamp, TokenId) {
        (self.issued_at, self.jti)
    }

    /// Returns a token and its descendants among the rows of the registry, each once and the root
    /// first. The root need not be registered.
    pub(in crate::store) fn tree<'a>(
        root: TokenId,
        rows: impl IntoIterator<Item = &'a Self>,
    ) -> Vec<TokenId> {
        let mut children: HashMap<TokenId, Vec<TokenId>> = HashMap::new();
        for row in rows {
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

    /// Returns the tokens that [`archive`](crate::store::SessionStore::archive) may delete: those
    /// that expired before `before` and have no live session. A row without a session stays while
    /// one below it does, so that no tree is split.
    pub(in crate::store) fn archivable<'a>(
        rows: impl IntoIterator<Item = &'a Self>,
        before: Timestamp,
        is_live: impl Fn(SessionId) -> bool,
    ) -> Vec<TokenId> {
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.jti, row)).collect();
        let stays =
            |row: &Self| row.expires_at >= before || row.sid.is_some_and(|sid| is_live(sid));
        let mut needed = HashSet::new();
        for row in rows.values().filter(|row| stays(row)) {
            let mut parent = row.parent;
            while let Some(above) = parent
                .and_then(|jti| rows.get(&jti))
                .filter(|row| row.sid.is_none() && needed.insert(row.jti))
            {
                parent = above.parent;
            }
        }
        let archivable = rows
            .values()
            .filter(|row| !stays(row) && !needed.contains(&row.jti));
        archivable.map(|row| row.jti).collect()
    }
}

impl TokenQuery {
    /// Returns the rows that the query wants, in the order of the registry and at most
    /// [`limit`](Self::limit) of them.
    ///
    /// `rows` are those of the whole registry, or those that an index found; where a
    /// [`tree`](Self::tree) is asked for, all of that tree among them. `counts` says whether a
    /// session is there and not revoked.
    pub(in crate::store) fn select<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a TokenRecord> + Clone,
        counts: impl Fn(SessionId) -> bool,
        now: Timestamp,
    ) -> Vec<TokenRecord> {
        let tree = self.tree.map(|root| {
            let tree = TokenRecord::tree(root, rows.clone());
            tree.into_iter().collect::<HashSet<_>>()
        });
        let is_active = |row: &TokenRecord| {
            row.expires_at > now && row.revoked_at.is_none() && row.sid.is_none_or(&counts)
        };
        let mut found: Vec<_> = rows
            .into_iter()
            .filter(|row| self.jti.is_none_or(|jti| row.jti == jti))
            .filter(|row| self.subject.is_none() || self.subject.as_ref() == Some(&row.subject))
            .filter(|row| self.sid.is_none() || self.sid == row.sid)
            .filter(|row| self.device_id.is_none() || self.device_id == row.device_id)
            .filter(|row| self.after.is_none_or(|last| row.place() > last))
            .filter(|row| tree.as_ref().is_none_or(|tree| tree.contains(&row.jti)))
            .filter(|row| self.active.is_none_or(|active| is_active(row) == active))
            .cloned()
            .collect();
        found.sort_unstable_by_key(TokenRecord::place);
        found.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        found
    }
}
