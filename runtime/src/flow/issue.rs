//! Signs an access token without a session.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Code, Error, ErrorKind};
use crate::id::TokenId;
use crate::session::{AnyClaims, SignedAccess};

use super::Flows;

impl Flows {
    /// Signs a token that belongs to no session: see `Gate::issue`.
    pub(crate) async fn issue(
        &self,
        claims: &dyn AnyClaims,
        lifetime: Duration,
    ) -> Result<String, Error> {
        let engine = &*self.engine;
        let most = engine.settings.access.max_ttl();
        if lifetime > most || lifetime.as_secs() == 0 {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "a token's lifetime is between one second and `access.max_ttl` ({} s)",
                    most.as_secs()
                ),
            ));
        }
        engine
            .refuse_while_paused()
            .map_err(|e| Error::new(ErrorKind::Usage, "the deployment is paused").because(e))?;
        let now = engine.clock.now();
        let user_epoch = engine
            .store
            .subject(claims.subject(), engine.settings.client_id.clone())
            .await
            .map_err(|e| {
                Error::new(ErrorKind::Store, "the subject's epoch cannot be read").because(e)
            })?
            .epoch;
        let access = SignedAccess {
            jti: TokenId::random()?,
            session: None,
            user_epoch,
            auth_time: None,
            acr: None,
            binding: None,
            lifetime,
            not_after: Timestamp::MAX,
        };
        let signed = engine.issuer.sign(&access, claims, now).await;
        signed.map(|(text, _)| text).map_err(|e| match e.code() {
            Code::InternalError => {
                Error::new(ErrorKind::Usage, "the claims cannot be issued").because(e)
            }
            _ => Error::new(ErrorKind::Keys, "the token cannot be signed").because(e),
        })
    }
}
