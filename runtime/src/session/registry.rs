//! The registry: the rows of a session's tokens, and of tokens that were issued by hand.
//!
//! All refresh tokens of a session are one row, at the root of the session's tree; its access
//! tokens are below that row, whatever their generation. So no chain grows with the rotations, and
//! archiving a row does not split the tree.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::{SessionId, TokenId};
use crate::settings::{self, Settings};
use crate::store::{Session, Store, StoreError, StoredTokenKind, Target, TokenQuery, TokenRecord};

use super::clock::StoreClock;

/// The session of a token, with the properties that the registry needs.
pub(crate) struct Member<'a> {
    pub(crate) sid: SessionId,
    pub(crate) subject: &'a str,
    pub(crate) device: &'a Device,
    pub(crate) created_at: Timestamp,
    pub(crate) abs_exp: Timestamp,
}

impl<'a> From<&'a Session> for Member<'a> {
    fn from(session: &'a Session) -> Self {
        let Session {
            sid,
            subject,
            device,
            created_at,
            abs_exp,
            ..
        } = session;
        Self {
            sid: *sid,
            subject,
            device,
            created_at: *created_at,
            abs_exp: *abs_exp,
        }
    }
}

/// Returns the registry's name for the refresh tokens of a session, at the root of its tree: the
/// bytes of the session's id.
pub(crate) const fn family(sid: SessionId) -> TokenId {
    TokenId::from_bytes(*sid.as_bytes())
}

/// The registry of a gate.
#[derive(Debug)]
pub(crate) struct TokenRegistry {
    settings: Arc<Settings>,
    store: Store,
    time: Arc<StoreClock>,
}

impl TokenRegistry {
    pub(super) fn new(settings: &Arc<Settings>, store: &Store, time: &Arc<StoreClock>) -> Self {
        Self {
            settings: Arc::clone(settings),
            store: store.clone(),
            time: Arc::clone(time),
        }
    }

    fn is_off(&self) -> bool {
        self.settings.registry == settings::Registry::Off
    }

    /// Returns the rows of an access token of a session: its own, and that of the session's refresh
    /// tokens, which a session that is older than the registry does not have yet. Returns no rows
    /// where the gate keeps no registry.
    pub(crate) fn rows(
        &self,
        of: &Member<'_>,
        (jti, generation): (TokenId, u32),
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Vec<TokenRecord> {
        if self.is_off() {
            return Vec::new();
        }
        let root = TokenRecord {
            jti: family(of.sid),
            kind: StoredTokenKind::Refresh,
            sid: Some(of.sid),
            generation: Some(0),
            parent: None,
            subject: of.subject.to_owned(),
            device_id: of.device.id.clone(),
            issued_at: of.created_at,
            expires_at: of.abs_exp,
            revoked_at: None,
        };
        let access = TokenRecord {
            jti,
            kind: StoredTokenKind::Access,
            generation: Some(generation),
            parent: Some(root.jti),
            issued_at,
            expires_at,
            ..root.clone()
        };
        vec![root, access]
    }

    /// Writes rows, and returns how many were new.
    pub(crate) async fn record(&self, rows: Vec<TokenRecord>) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.store.record_tokens(rows, self.time.now()).await
    }

    /// Returns the row of one token.
    async fn find(&self, jti: TokenId) -> Result<Option<TokenRecord>, StoreError> {
        let query = TokenQuery {
            jti: Some(jti),
            limit: 1,
            ..ANY
        };
        Ok(self.store.tokens(query, self.time.now()).await?.pop())
    }

    /// Returns whether a token is registered and valid.
    pub(crate) async fn is_active(&self, jti: TokenId) -> Result<bool, StoreError> {
        let query = TokenQuery {
            jti: Some(jti),
            active: Some(true),
            limit: 1,
            ..ANY
        };
        let found = self.store.tokens(query, self.time.now()).await?;
        Ok(!found.is_empty())
    }

    /// Returns the target of the revocation of a token: the refresh tokens of a session are one
    /// row, and end with the session.
    pub(crate) async fn resolve_target(&self, jti: TokenId) -> Result<Target, StoreError> {
        if self.is_off() {
            return Ok(Target::Token(jti));
        }
        let row = self
            .find(jti)
            .await?
            .filter(|row| row.kind == StoredTokenKind::Refresh);
        Ok(row
            .and_then(|row| row.sid)
            .map_or(Target::Token(jti), Target::Session))
    }

    /// Returns the tree of the tokens that were made from those of a session; `None` if the gate
    /// keeps no registry.
    #[cfg(feature = "axum")]
    pub(crate) fn tree_below(&self, sid: SessionId) -> Option<Target> {
        (!self.is_off()).then(|| Target::Tree(family(sid)))
    }
}

/// A query without a condition.
pub(crate) const ANY: TokenQuery = TokenQuery {
    jti: None,
    subject: None,
    sid: None,
    device_id: None,
    tree: None,
    active: None,
    after: None,
    limit: 0,
};
