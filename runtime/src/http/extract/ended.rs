//! Callers whose connection stays open: a web socket, a stream of events.

use std::time::Duration;

use super::super::problem::Rejection;
use super::Auth;
use super::handed::CallerToken;
use crate::error::{Code, Refusal};
use crate::gate::Verifier;
use crate::policy::compose::consistency;
use crate::policy::{PolicyFor, decide};
use crate::session::{Ended, Occasion, Place};
use crate::token::{JwtClaims, Verified};

impl<U: JwtClaims, P: PolicyFor<U>> Auth<U, P> {
    /// Waits until the caller is no longer signed in, as far as this node knows: the access token
    /// expired (at its `exp`, without leeway), or the token, its session, its subject or its key
    /// was revoked, or the claims of the subject changed; or the deployment is paused. A revocation
    /// on another node arrives as it does for requests.
    ///
    /// Many connections cost little: none has a task or a timer. For a token of another issuer only
    /// the expiry is known.
    ///
    /// # Examples
    /// A web socket whose client may send a new access token:
    /// ```
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # struct Socket;
    /// # impl Socket {
    /// #     async fn receive(&mut self) -> Option<String> { None }
    /// #     async fn close(self, _: &str) {}
    /// # }
    /// async fn serve(mut user: Auth<User>, mut socket: Socket) {
    ///     loop {
    ///         tokio::select! {
    ///             ended = user.ended() => return socket.close(&format!("{ended:?}")).await,
    ///             message = socket.receive() => {
    ///                 let Some(message) = message else { return };
    ///                 if let Some(token) = message.strip_prefix("token ") {
    ///                     if user.renew(token).await.is_err() {
    ///                         return socket.close("the token does not count").await;
    ///                     }
    ///                 }
    ///             }
    ///         }
    ///     }
    /// }
    /// # let _ = serve;
    /// ```
    pub async fn ended(&self) -> Ended {
        match self.verifier.running() {
            Some(gate) => gate.connections().watch(self.token()).await,
            None => {
                loop {
                    let left = self.token().expires_at().since(self.verifier.now());
                    if left.is_zero() {
                        return Ended::Expired;
                    }
                    // The clock may be set while this waits.
                    tokio::time::sleep(left.min(LONGEST)).await;
                }
            }
        }
    }

    /// Continues with a new access token of the same session and subject, which must satisfy the
    /// policy as well: [`ended`](Self::ended) then waits for the end of that token.
    ///
    /// # Errors
    /// The token is not valid, or is another session's or subject's (401), or does not satisfy the
    /// policy, or the gate cannot decide. The caller is as before.
    pub async fn renew(&mut self, token: &str) -> Result<(), Rejection> {
        match self.verify_renewed(token).await {
            Ok(verified) => {
                self.caller = CallerToken::Sent(verified);
                Ok(())
            }
            Err(refusal) => Err(self.reject(refusal)),
        }
    }

    async fn verify_renewed(&self, token: &str) -> Result<Verified<U::Claims>, Refusal> {
        let verified = verify::<U, P>(&self.verifier, token).await?;
        let (old, new) = (self.token(), verified.token());
        let is_same = old.subject() == new.subject()
            && old.sid() == new.sid()
            && old.issuer() == new.issuer()
            && old.realm() == new.realm();
        if !is_same {
            return Err(Code::InvalidToken.into());
        }
        decide(&P::RULE, &verified, self.verifier.now()).or_refuse()?;
        Ok(verified)
    }
}

/// Verifies a token as the handler's argument did, without comparing device and network: a
/// connection does not change them.
async fn verify<U: JwtClaims, P: PolicyFor<U>>(
    verifier: &Verifier<U>,
    token: &str,
) -> Result<Verified<U::Claims>, Refusal> {
    let Some(gate) = verifier.running() else {
        return verifier.verify(token).await;
    };
    let admission = gate.admission();
    let (now, asked) = (
        admission.now(),
        consistency::<U, P>(gate.settings().revocation.consistency),
    );
    let verified = admission.verify(token, now)?;
    if admission.must_ask(asked, now) {
        admission.ask(asked, now).await?;
    }
    admission.admit_known(
        verified.token(),
        Occasion::entry(&verified),
        None::<fn() -> Place<'static>>,
    )?;
    Ok(verified)
}

/// The longest sleep before the clock is read again.
const LONGEST: Duration = Duration::from_secs(60);
