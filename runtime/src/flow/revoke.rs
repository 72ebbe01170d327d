//! Revokes for an application, and for a client that presents its token (RFC 7009).

use crate::error::{Error, ErrorKind};
use crate::keys::KeyState;
use crate::session::Revoke;
#[cfg(feature = "postgres")]
use crate::store::Revocation;
use crate::store::{RevokeReason, Revoked, StoreError, Target};

use super::Flows;

impl Flows {
    /// Revokes at the request of an application: see `Gate::revoke`.
    pub(crate) async fn revoke(&self, revoke: Revoke) -> Result<Revoked, Error> {
        let (target, reason) = self.target_of(revoke).await?;
        let revoked = self.engine.revoke(target, reason).await;
        revoked.map_err(unrevoked)
    }

    /// Revokes in a transaction of the program: see `Gate::revoke_in`. Returns what the store
    /// wrote; this node does not apply it yet.
    #[cfg(feature = "postgres")]
    pub(crate) async fn revoke_in(
        &self,
        db: &mut crate::store::ProgramTransaction<'_>,
        revoke: Revoke,
    ) -> Result<(Target, Revoked), Error> {
        let engine = &*self.engine;
        let (target, reason) = self.target_of(revoke).await?;
        let store = engine.store.postgres().ok_or_else(|| {
            Error::new(
                ErrorKind::Usage,
                "`revoke_in` needs a transaction of PostgreSQL, and the gate has another store",
            )
        })?;
        let now = engine.time.now();
        let revocation = Revocation {
            target: target.clone(),
            reason,
            until: engine.log_until(now),
        };
        let revoked = store.revoke_in(db, &revocation, now).await;
        Ok((target, revoked.map_err(unrevoked)?))
    }

    async fn target_of(&self, revoke: Revoke) -> Result<(Target, RevokeReason), Error> {
        let mut reason = RevokeReason::Requested;
        let target = match revoke.0 {
            // A refresh would bring the old claims back.
            Target::AccessOf(subject) if self.backend.keeps_claims() => {
                reason = RevokeReason::RolesChanged;
                Target::Subject(subject)
            }
            Target::Key(kid) => {
                self.refuse_key_in_use(&kid)?;
                Target::Key(kid)
            }
            Target::Token(jti) => {
                let resolved = self.engine.registry.resolve_target(jti).await;
                resolved.map_err(unrevoked)?
            }
            target => target,
        };
        Ok((target, reason))
    }

    /// Refuses to revoke the current signing key or the next one.
    fn refuse_key_in_use(&self, kid: &str) -> Result<(), Error> {
        let keys = self.engine.ring.set();
        let key = keys.verifying().iter().find(|key| **key.kid() == *kid);
        let why = match key.map(crate::keys::VerifyingKey::state) {
            Some(KeyState::Current) => {
                "the key signs this gate's tokens: rotate the ring before it is revoked"
            }
            Some(KeyState::Next) => {
                "the key is to sign next, and its tokens would be dead: retire it from the ring \
                 before it is revoked"
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Usage, why))
    }

    /// Revokes a token. A refresh token ends its session. An access token is revoked alone, or with
    /// `affect_tree` together with its session and the tokens that the registry has below it. For a
    /// token that is unknown or has expired it succeeds, and changes nothing.
    #[cfg(feature = "axum")]
    pub(crate) async fn revoke_presented(
        &self,
        token: &str,
        affect_tree: bool,
    ) -> Result<(), crate::error::Refusal> {
        use crate::error::Refusal;
        use crate::session::Expiry;

        let admission = &self.engine.admission;
        let known = self.backend.recognise(admission, token, Expiry::Counts);
        let target = if let Ok(info) = known {
            match info.sid() {
                Some(sid) if affect_tree => Target::Session(sid),
                None if affect_tree => Target::Tree(info.jti()),
                _ => {
                    let revoked = self.engine.revoke_token(&info, RevokeReason::Requested);
                    revoked.await.map_err(Refusal::unavailable)?;
                    return Ok(());
                }
            }
        } else if let Some(session) = self.session_of(token).await? {
            Target::Session(session.sid)
        } else {
            return Ok(());
        };
        let below = match &target {
            Target::Session(sid) if affect_tree => self.engine.registry.tree_below(*sid),
            _ => None,
        };
        for target in [Some(target), below].into_iter().flatten() {
            let revoked = self.engine.revoke(target, RevokeReason::Requested).await;
            revoked.map_err(Refusal::unavailable)?;
        }
        Ok(())
    }
}

fn unrevoked(error: StoreError) -> Error {
    Error::new(
        ErrorKind::Store,
        "the store failed to record the revocation",
    )
    .because(error)
}
