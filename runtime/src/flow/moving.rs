//! Exchanges a refresh token of a former system for a session, once.

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{AuthError, Code, Refusal};
use crate::guard::{FormerToken, MovingGuard};
use crate::session::Issued;
use crate::store::{Authenticated, OnceValue};

use super::open::{Authentic, Opening, Stay};
use super::{BoxedClaims, Flows};

#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "only a route exchanges tokens")
)]
impl Flows {
    /// Returns the guard of a former system's tokens, if the gate has one.
    pub(crate) const fn moving(&self) -> Option<&MovingGuard> {
        self.moving.as_ref()
    }

    /// Exchanges a token of the former system.
    pub(crate) async fn exchange_former(
        &self,
        text: &str,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        self.engine.refuse_while_paused()?;
        let counted = self.count_sign_in(None, client).await;
        counted.map_err(|refusal| self.report_refused(refusal, client))?;
        let exchanged = self.try_exchange(text, client).await;
        exchanged.map_err(|refusal| self.report_refused(refusal, client))
    }

    async fn try_exchange(&self, text: &str, client: &Client) -> Result<Issued, Refusal> {
        let engine = &*self.engine;
        let guard = self.moving().ok_or(Code::NotFound)?;
        let token = guard
            .verify(text, engine.clock.now())
            .ok_or(Code::InvalidCredentials)?;
        let claims = self.former_user(guard, &token, client).await?;
        // It comes last, so that a request that cannot be decided leaves the token unused.
        self.take_former(&token).await?;
        let opened = self.open_for(&token, &*claims, client).await;
        match opened {
            Ok(Opening::Open(issued)) => Ok(*issued),
            // The subject's credentials changed since the token was issued.
            Ok(Opening::Again(_)) => Err(Code::InvalidCredentials.into()),
            Err(refusal) => {
                self.give_former_back(&token).await;
                Err(refusal)
            }
        }
    }

    async fn open_for(
        &self,
        token: &FormerToken,
        claims: &dyn crate::session::AnyClaims,
        client: &Client,
    ) -> Result<Opening, Refusal> {
        let engine = &*self.engine;
        let issued_at = token.issued_at().unwrap_or(Timestamp::from_secs(0));
        let login = Authentic {
            claims,
            client,
            // A change of the password in this system ends the tokens that the former system issued
            // before.
            authenticated: Authenticated::Since(issued_at.min(engine.time.now())),
            auth_time: issued_at.min(engine.clock.now()),
            acr: None,
            stay: Stay::Long,
            step: None,
        };
        self.open(&login).await
    }

    /// Asks the backend for the user of a token, and for the claims of that user.
    async fn former_user(
        &self,
        guard: &MovingGuard,
        token: &FormerToken,
        client: &Client,
    ) -> Result<BoxedClaims, Refusal> {
        let refuse = |error| match error {
            AuthError::Unavailable(source) => Refusal::unavailable(source),
            AuthError::Refused(refusal) => refusal,
            AuthError::More(_) => Refusal::unavailable("an exchange has no further step"),
            AuthError::Invalid | AuthError::Disabled | AuthError::Gone => {
                Code::InvalidCredentials.into()
            }
        };
        let subject = guard.resolved(token.clone()).await.map_err(refuse)?;
        let claims = self.backend.renew(&subject, None, client).await;
        let claims = claims.map_err(refuse)?;
        if claims.subject() == subject {
            Ok(claims)
        } else {
            Err(self.engine.other_subject("exchange", &subject))
        }
    }

    /// Notes that a token was taken; refuses one that was taken before.
    async fn take_former(&self, token: &FormerToken) -> Result<(), Refusal> {
        let engine = &*self.engine;
        let taken = OnceValue {
            kind: KIND.to_owned(),
            hash: token.hash(),
            payload: Vec::new(),
            until: token.expires_at().plus(MARGIN),
            bound: None,
        };
        let is_first = engine.store.put_once(taken, engine.time.now()).await;
        if is_first.map_err(Refusal::unavailable)? {
            Ok(())
        } else {
            Err(Code::InvalidCredentials.into())
        }
    }

    /// Takes the note back where no session was opened, so that the client can try again with the
    /// same token.
    async fn give_former_back(&self, token: &FormerToken) {
        let engine = &*self.engine;
        let (kind, now) = (KIND.to_owned(), engine.time.now());
        if let Err(error) = engine.store.take_once(kind, token.hash(), now).await {
            tracing::warn!(
                %error,
                "a token of the former system is used up although no session was opened"
            );
        }
    }
}

const KIND: &str = "moved";
/// The time for which a note is kept after its token has expired, since clocks differ.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(600);
