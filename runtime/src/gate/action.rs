//! Makes and consumes action tokens: the flows of an account that begin with a letter.

use crate::action::{ActionPurpose, ActionToken, Kept, Proof};
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::store::OnceValue;

use super::account::SubjectOf;
use super::{AuthBackend, Gate};

impl<B: AuthBackend> Gate<B> {
    /// Makes a token for a letter to `address`, the one that is stored with the account.
    ///
    /// Count the letters with `gate.allow(…)` (feature `rate-limit`), and answer the same whether
    /// or not there is such an account. The token dies when it is consumed, after
    /// [`ActionPurpose::LIFETIME`], and with the subject's access tokens: when the user signs out
    /// everywhere, or `credentials_changed` ends all sessions.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the store cannot be written to, or the deployment is paused.
    ///
    /// # Examples
    /// ```
    /// use tollgate::action::{ActionToken, PasswordReset, Proof};
    /// use tollgate::gate::EndSessions;
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User)] struct Accounts;
    /// # impl Accounts {
    /// #     async fn write(&self, _: Proof<PasswordReset, u64>, _: &Password) -> Result<(), AuthError> { Ok(()) }
    /// #     async fn send(&self, _: &str, _: &str) {}
    /// # }
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
    /// # }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> { Err(AuthError::Gone) }
    /// # }
    ///
    /// async fn forgot(gate: &Gate<Accounts>, id: &u64, email: &str) -> Result<(), Refusal> {
    ///     let token: ActionToken<PasswordReset> = gate.action_token(id, email).await?;
    ///     gate.backend().send(email, token.expose()).await;
    ///     Ok(())
    /// }
    ///
    /// async fn reset(gate: &Gate<Accounts>, token: ActionToken<PasswordReset>, chosen: Password) -> Result<(), Refusal> {
    ///     let proof = token.consume(gate).await?;
    ///     let id = *proof.subject();
    ///     // Nothing else can make a `Proof<PasswordReset, _>`, so nothing else sets a password.
    ///     gate.backend().write(proof, &chosen).await.map_err(|_| Refusal::new(Code::Unavailable))?;
    ///     gate.credentials_changed(&id, EndSessions::All).await.map_err(Refusal::unavailable)?;
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    pub async fn action_token<P: ActionPurpose>(
        &self,
        subject: &SubjectOf<B>,
        address: &str,
    ) -> Result<ActionToken<P>, Refusal> {
        let engine = &self.running().engine;
        engine.refuse_while_paused()?;
        let (subject, now) = (subject.to_string(), engine.time.now());
        let token = ActionToken::random().map_err(Refusal::unavailable)?;
        let epoch = self.epoch_of(&subject).await?;
        let kept = Kept {
            subject: subject.clone(),
            address: address.to_owned(),
            epoch,
            issued_at: engine.clock.now(),
        };
        let value = OnceValue {
            kind: ActionToken::<P>::kind(),
            hash: token.hash(),
            payload: serde_json::to_vec(&kept).map_err(Refusal::unavailable)?,
            until: now.plus(P::LIFETIME),
        };
        if !engine
            .store
            .put_once(value, now)
            .await
            .map_err(Refusal::unavailable)?
        {
            return Err(Refusal::unavailable("an action token met another one"));
        }
        engine
            .events
            .emit(&Event::new(EventKind::ActionTokenIssued { purpose: P::NAME }).subject(subject));
        Ok(token)
    }

    async fn epoch_of(&self, subject: &str) -> Result<u64, Refusal> {
        let engine = &self.running().engine;
        engine
            .store
            .epoch_of(subject.to_owned(), engine.settings.client_id.clone())
            .await
            .map_err(Refusal::unavailable)
    }
}

impl<P: ActionPurpose> ActionToken<P> {
    /// Burns the token, and proves that it was one. Of several who present it at once, one
    /// succeeds.
    ///
    /// # Errors
    /// [`Code::InvalidToken`]: it is no token of this purpose, it was consumed, or it has run out. [`Code::Unavailable`]: the store
    /// cannot decide.
    pub async fn consume<B: AuthBackend>(
        self,
        gate: &Gate<B>,
    ) -> Result<Proof<P, SubjectOf<B>>, Refusal> {
        let engine = &gate.running().engine;
        engine.refuse_while_paused()?;
        let taken = engine
            .store
            .take_once(Self::kind(), self.hash(), engine.time.now())
            .await
            .map_err(Refusal::unavailable)?;
        let refuse = |subject: Option<String>| {
            let event = Event::new(EventKind::ActionTokenRefused { purpose: P::NAME });
            engine.events.emit(&Event { subject, ..event });
            Refusal::new(Code::InvalidToken)
        };
        let kept: Kept = taken
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| refuse(None))?;
        let subject = kept.subject.parse().map_err(|_| refuse(None))?;
        if gate.epoch_of(&kept.subject).await? != kept.epoch {
            return Err(refuse(Some(kept.subject)));
        }
        engine.events.emit(
            &Event::new(EventKind::ActionTokenConsumed { purpose: P::NAME }).subject(kept.subject),
        );
        Ok(Proof::new(subject, kept.address, kept.issued_at))
    }
}
