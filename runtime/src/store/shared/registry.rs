//! The rules of the token registry, for stores that look at its rows one by one.

use std::collections::{HashMap, HashSet};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{Session, TokenQuery, TokenRecord};

impl TokenRecord {
    /// Returns the place of the row in the order of the registry.
    #[must_use]
    pub const fn place(&self) -> (Timestamp, TokenId) {
        (self.issued_at, self.jti)
    }

    /// Returns whether the token is active: neither expired nor revoked, and its session, where it
    /// has one, there and not revoked. `session` reads the row of that session.
    #[must_use]
    pub fn is_active(&self, session: Option<&Session>, now: Timestamp) -> bool {
        let belongs = self.sid.is_none() || session.is_some_and(|row| row.revoked.is_none());
        self.expires_at > now && self.revoked_at.is_none() && belongs
    }

    /// Returns a token and its descendants among the rows of the registry, each once and the root
    /// first. The root need not be registered.
    pub fn tree<'a>(root: TokenId, rows: impl IntoIterator<Item = &'a Self>) -> Vec<TokenId> {
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
    pub fn archivable<'a>(
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
    /// Returns whether a row meets the conditions that the row alone decides: all but
    /// [`tree`](Self::tree) and [`active`](Self::active).
    #[must_use]
    pub fn matches(&self, row: &TokenRecord) -> bool {
        let subject = self.subject.as_ref();
        self.jti.is_none_or(|jti| row.jti == jti)
            && subject.is_none_or(|subject| row.subject == *subject)
            && self.sid.is_none_or(|sid| row.sid == Some(sid))
            && (self.device_id.is_none() || row.device_id == self.device_id)
            && self.after.is_none_or(|last| row.place() > last)
    }
}
