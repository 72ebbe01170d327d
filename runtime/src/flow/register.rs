//! Enters a token that belongs to no session in the registry.

use crate::error::{Code, Error, ErrorKind, Refusal};
use crate::event::{Event, EventKind};
use crate::id::TokenId;
use crate::session::{Expiry, Occasion, family};
use crate::store::{RevokeReason, StoreError, StoredTokenKind, Target, TokenRecord};

use super::Flows;

impl Flows {
    /// Registers a valid token of this gate, below another one if a parent is given: see
    /// `Gate::register`.
    pub(crate) async fn register(
        &self,
        text: &str,
        parent: Option<TokenId>,
    ) -> Result<TokenRecord, Error> {
        let engine = &*self.engine;
        let now = engine.admission.now();
        let token = self
            .backend
            .recognise(&engine.admission, text, Expiry::Counts)
            .map_err(not_ours)?;
        let admitted = engine
            .admission
            .admit_verified(&token, Occasion::QUESTION, now);
        admitted.await.map_err(not_ours)?;
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
        let recorded = engine.registry.record(vec![record.clone()]).await;
        if recorded.map_err(unwritten)? == 0 {
            return Err(usage("the token is in the registry already"));
        }
        // A revocation of the tree that ran before this row was written has not seen it; one that
        // runs from here on does.
        if let Some(parent) = parent
            && let Err(error) = self.demand_active(parent).await
        {
            let target = Target::Token(record.jti);
            let revoked = engine.revoke(target, RevokeReason::Requested).await;
            revoked.map_err(unwritten)?;
            return Err(error);
        }
        let kind = EventKind::TokenRegistered {
            jti: record.jti,
            parent: record.parent,
        };
        let mut event = Event::new(kind).subject(&*record.subject);
        event.sid = record.sid;
        engine.events.emit(&event);
        Ok(record)
    }

    async fn demand_active(&self, parent: TokenId) -> Result<(), Error> {
        let active = self.engine.registry.is_active(parent).await;
        if active.map_err(unwritten)? {
            Ok(())
        } else {
            Err(usage(
                "the parent token is not in the registry, or is no longer valid",
            ))
        }
    }
}

fn not_ours(refusal: Refusal) -> Error {
    match refusal.code() {
        Code::Unavailable => {
            Error::new(ErrorKind::Store, "the token cannot be checked").because(refusal)
        }
        _ => usage("the token is not a valid token of this gate").because(refusal),
    }
}

fn usage(what: &str) -> Error {
    Error::new(ErrorKind::Usage, what)
}

fn unwritten(error: StoreError) -> Error {
    Error::new(ErrorKind::Store, "the store failed to register the token").because(error)
}
