//! The rules of the token registry, for stores that read its rows one by one.

use std::collections::{HashMap, HashSet};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{TokenQuery, TokenRecord};

impl TokenRecord {
    /// Returns the place of the row in the order of the registry.
    pub(in crate::store) const fn place(&self) -> (Timestamp, TokenId) {
        (self.issued_at, self.jti)
    }
}

impl TokenQuery {
    /// Returns whether a row satisfies the conditions that depend on the row alone: all but
    /// [`tree`](Self::tree) and [`active`](Self::active).
    pub(in crate::store) fn matches(&self, row: &TokenRecord) -> bool {
        self.jti.is_none_or(|jti| row.jti == jti)
            && (self.subject.is_none() || self.subject.as_ref() == Some(&row.subject))
            && (self.sid.is_none() || self.sid == row.sid)
            && (self.device_id.is_none() || self.device_id == row.device_id)
            && self.after.is_none_or(|last| row.place() > last)
    }
}

/// A token as a node of the trees in the registry.
#[derive(Clone, Copy)]
pub(in crate::store) struct TokenNode {
    jti: TokenId,
    parent: Option<TokenId>,
    sid: Option<SessionId>,
    expires_at: Timestamp,
}

impl TokenNode {
    pub(in crate::store) const fn of(row: &TokenRecord) -> Self {
        Self {
            jti: row.jti,
            parent: row.parent,
            sid: row.sid,
            expires_at: row.expires_at,
        }
    }

    /// Returns a token and its descendants, each once and the root first. The root need not be
    /// registered.
    pub(in crate::store) fn tree(root: TokenId, nodes: &[Self]) -> Vec<TokenId> {
        let mut children: HashMap<TokenId, Vec<TokenId>> = HashMap::new();
        for node in nodes {
            if let Some(parent) = node.parent {
                children.entry(parent).or_default().push(node.jti);
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
    /// that expired before `before` and have no live session. A token without a session stays while
    /// one below it does, so that no tree is split.
    pub(in crate::store) fn archivable(
        nodes: &[Self],
        before: Timestamp,
        is_live: impl Fn(SessionId) -> bool,
    ) -> Vec<TokenId> {
        let by_id: HashMap<_, _> = nodes.iter().map(|node| (node.jti, node)).collect();
        let stays = |node: &Self| node.expires_at >= before || node.sid.is_some_and(&is_live);
        let mut needed = HashSet::new();
        for node in nodes.iter().filter(|node| stays(node)) {
            let mut parent = node.parent;
            while let Some(above) = parent
                .and_then(|jti| by_id.get(&jti))
                .filter(|node| node.sid.is_none() && needed.insert(node.jti))
            {
                parent = above.parent;
            }
        }
        let archivable = nodes
            .iter()
            .filter(|node| !stays(node) && !needed.contains(&node.jti));
        archivable.map(|node| node.jti).collect()
    }
}
