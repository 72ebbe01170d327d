//! Makes and consumes action tokens, typed by their purpose.

use crate::action::{ActionPurpose, ActionToken, Proof};
#[cfg(doc)]
use crate::error::Code;
use crate::error::Refusal;
use crate::flow::AnyPurpose;
use crate::token::{ClaimSet as _, JwtClaims};

use super::account::SubjectOf;
use super::{AuthBackend, Gate};

impl<B: AuthBackend> Gate<B> {
    /// Makes a token for an email to `address`, the address that is stored with the account.
    ///
    /// Count the emails with `gate.allow(…)` (feature `rate-limit`), and answer the same whether or
    /// not there is such an account. The token ends when it is consumed, after
    /// [`ActionPurpose::LIFETIME`], and when the user signs out everywhere or the credentials
    /// change ([`credentials_changed`](Gate::credentials_changed), whichever sessions it ends). A
    /// change of roles does not end it.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the store cannot be written to, or
    /// the deployment is paused.
    ///
    /// # Examples
    /// ```
    /// use tollgate::action::{ActionToken, PasswordReset, Proof};
    /// use tollgate::gate::EndSessions;
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User)] struct Accounts;
    /// # impl Accounts {
    /// #     async fn write(
    /// #         &self,
    /// #         _: Proof<PasswordReset, u64>,
    /// #         _: &Password,
    /// #     ) -> Result<(), AuthError> {
    /// #         Ok(())
    /// #     }
    /// #     async fn send(&self, _: &str, _: &str) {}
    /// # }
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Invalid)
    /// #     }
    /// # }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Gone)
    /// #     }
    /// # }
    ///
    /// async fn forgot(gate: &Gate<Accounts>, id: &u64, email: &str) -> Result<(), Refusal> {
    ///     let token: ActionToken<PasswordReset> = gate.action_token(id, email).await?;
    ///     gate.backend().send(email, token.expose()).await;
    ///     Ok(())
    /// }
    ///
    /// async fn reset(
    ///     gate: &Gate<Accounts>,
    ///     token: ActionToken<PasswordReset>,
    ///     chosen: Password,
    /// ) -> Result<(), Refusal> {
    ///     let proof = token.consume(gate).await?;
    ///     let id = *proof.subject();
    ///     // Nothing else can make a `Proof<PasswordReset, _>`, so nothing else sets a password.
    ///     let written = gate.backend().write(proof, &chosen).await;
    ///     written.map_err(|_| Refusal::new(Code::Unavailable))?;
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
        let flows = self.flows();
        flows.refuse_while_paused()?;
        let token = ActionToken::random().map_err(Refusal::unavailable)?;
        let kept = flows.keep_action(purpose::<P>(), token.hash(), subject.to_string(), address);
        kept.await.map(|()| token)
    }
}

impl<P: ActionPurpose> ActionToken<P> {
    /// Consumes the token, and returns the proof that it was valid. Of several callers who present
    /// it at once, one succeeds.
    ///
    /// # Errors
    /// [`Code::InvalidToken`]: it is not a token of this purpose, it was consumed, it has expired,
    /// or the subject's credentials changed since. [`Code::Unavailable`]: the store cannot decide,
    /// and the token is still valid.
    pub async fn consume<B: AuthBackend>(
        self,
        gate: &Gate<B>,
    ) -> Result<Proof<P, SubjectOf<B>>, Refusal> {
        let (flows, purpose) = (gate.flows(), purpose::<P>());
        let kept = flows.take_action(&purpose, self.hash()).await?;
        let subject = <B::User as JwtClaims>::Claims::parse_subject(&kept.subject)
            .ok_or_else(|| flows.refuse_action(&purpose, None))?;
        flows.confirm_action(&purpose, &kept).await?;
        Ok(Proof::new(subject, kept.address, kept.issued_at))
    }
}

/// Returns a purpose without its type.
fn purpose<P: ActionPurpose>() -> AnyPurpose {
    AnyPurpose {
        name: P::NAME,
        kind: ActionToken::<P>::kind(),
        lifetime: P::LIFETIME,
    }
}
