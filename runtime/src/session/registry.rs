//! The registry: the rows of what a session is given, and of tokens issued by hand.
//!
//! All refresh tokens of a session are one row, at the root of the session's tree; its access
//! tokens hang on that row, whatever their generation. So no chain grows with the rotations, and
//! nothing that is archived splits the tree.

use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::{Code, Error, ErrorKind};
use crate::id::{SessionId, TokenId};
use crate::settings::Registry;
use crate::store::{Session, StoreError, StoredTokenKind, Target, TokenQuery, TokenRecord};
use crate::token::{ClaimSet, TokenInfo, Verified};

use super::{Engine, Occasion};

/// The session that a token belongs to, as far as the registry wants to know of it.
pub(super) struct Member<'a> {
    pub(super) sid: SessionId,
    pub(super) subject: &'a str,
    pub(super) device: &'a Device,
    pub(super) created_at: Timestamp,
    pub(super) abs_exp: Timestamp,
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

/// The registry's name for the refresh tokens of a session, at the root of its tree: the bytes of
/// the session's id.
pub(crate) const fn family(sid: SessionId) -> TokenId {
    TokenId::from_bytes(*sid.as_bytes())
}

impl Engine {
    /// The rows of an access token of a session: its own, and that of the session's refresh tokens,
    /// which a session that is older than the registry does not have yet. None where the gate keeps
    /// no registry.
    pub(super) fn rows(
        &self,
        of: &Member<'_>,
        (jti, generation): (TokenId, u32),
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Vec<TokenRecord> {
        if self.settings.registry == Registry::Off {
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

    /// Writes the rows of an access token that a session got beside its refreshes.
    #[cfg(feature = "axum")]
    pub(crate) async fn record(&self, rows: Vec<TokenRecord>) -> Result<(), StoreError> {
        if rows.is_empty() {
            Ok(())
        } else {
            self.store
                .record_tokens(rows, self.time.now())
                .await
                .map(drop)
        }
    }

    /// Puts a token of ours that counts into the registry, below another one where one is given.
    pub(crate) async fn register<C: ClaimSet>(
        &self,
        text: &str,
        parent: Option<TokenId>,
    ) -> Result<TokenRecord, Error> {
        let usage = |what: &str| Error::new(ErrorKind::Usage, what);
        let verified: Verified<C> =
            self.admit(text, Occasion::Question)
                .await
                .map_err(|refusal| match refusal.code() {
                    Code::Unavailable => {
                        Error::new(ErrorKind::Store, "the token cannot be checked").because(refusal)
                    }
                    _ => usage("the token is none of this gate's, or no longer counts")
                        .because(refusal),
                })?;
        let token: &TokenInfo = verified.token();
        if let Some(parent) = parent {
            self.demand_active(parent).await?;
        }
        let record = TokenRecord {
            jti: token.jti(),
            kind: StoredTokenKind::Access,
            sid: token.sid(),
            generation: token.generation(),
            parent: parent.or_else(|| token.sid().map(family)),
            subject: token.subject().to_owned(),
            device_id: None,
            issued_at: token.issued_at(),
            expires_at: token.expires_at(),
            revoked_at: None,
        };
        if self
            .store
            .record_tokens(vec![record.clone()], self.time.now())
            .await
            .map_err(unwritten)?
            == 0
        {
            return Err(usage("the token is in the registry already"));
        }
        // Whoever revoked the tree before the row was there has not seen it; whoever does so now,
        // has.
        if let Some(error) = match parent {
            Some(parent) => self.demand_active(parent).await.err(),
            None => None,
        } {
            let reason = crate::store::RevokeReason::Requested;
            self.revoke_target(Target::Token(record.jti), reason)
                .await
                .map_err(unwritten)?;
            return Err(error);
        }
        Ok(record)
    }

    /// The row of one token.
    pub(crate) async fn registered(&self, jti: TokenId) -> Result<Option<TokenRecord>, StoreError> {
        let query = TokenQuery {
            jti: Some(jti),
            limit: 1,
            ..ANY
        };
        Ok(self.store.tokens(query, self.time.now()).await?.pop())
    }

    async fn demand_active(&self, parent: TokenId) -> Result<(), Error> {
        let query = TokenQuery {
            jti: Some(parent),
            active: Some(true),
            limit: 1,
            ..ANY
        };
        let found = self
            .store
            .tokens(query, self.time.now())
            .await
            .map_err(unwritten)?;
        match found.is_empty() {
            true => Err(Error::new(
                ErrorKind::Usage,
                "the token above is not in the registry, or no longer counts",
            )),
            false => Ok(()),
        }
    }

    /// What a revocation of a token means: the refresh tokens of a session are one row, and end
    /// with the session.
    pub(crate) async fn resolve_target(&self, jti: TokenId) -> Result<Target, StoreError> {
        if self.settings.registry == Registry::Off {
            return Ok(Target::Token(jti));
        }
        let row = self
            .registered(jti)
            .await?
            .filter(|row| row.kind == StoredTokenKind::Refresh);
        Ok(row
            .and_then(|row| row.sid)
            .map_or(Target::Token(jti), Target::Session))
    }

    /// Ends, on behalf of a client, what hangs on the tokens of a session that has just ended.
    #[cfg(feature = "axum")]
    pub(crate) async fn revoke_below(&self, sid: SessionId) -> Result<(), crate::error::Refusal> {
        if self.settings.registry == Registry::Off {
            return Ok(());
        }
        self.revoke_for_client(
            Target::Tree(family(sid)),
            crate::store::RevokeReason::Requested,
        )
        .await
        .map(drop)
    }
}

/// No condition at all.
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

fn unwritten(error: StoreError) -> Error {
    Error::new(ErrorKind::Store, "the store could not do it").because(error)
}
