//! The gate: a backend, its settings, its keys and its store, put together once.

#[cfg(not(all(feature = "password", feature = "jwe", feature = "rate-limit")))]
pub(crate) mod absent;
mod account;
mod action;
mod backend;
mod builder;
#[cfg(feature = "axum")]
mod cookie;
mod keys;
mod running;
mod sessions;
mod tasks;
mod tokens;
#[cfg(feature = "postgres")]
mod transaction;
mod verifier;

pub use crate::flow::{StepAnswer, normalize_identifier};
#[allow(deprecated, reason = "a program that names it gets the warning")]
pub use account::Sessions;
pub use account::{Access, EndSessions};
#[cfg(feature = "axum")]
pub(crate) use backend::parse_body;
pub use backend::{
    AuthBackend, AuthRoute, Authenticate, EmailLogin, Exchange, Exchanged, FromStored, GuardLogin,
    NoRefresh, Own, Refresh, Reload, Renew, RouteConfig, RouteOptions, SignIn, UsernameLogin,
};
#[cfg(not(feature = "jwe"))]
#[doc(hidden)]
pub use builder::Encrypted;
#[cfg(feature = "jwe")]
pub use builder::Encrypted;
pub use builder::{
    Building, Encryption, GateBuilder, Given, HasAudience, HasIssuer, HasKeys, HasOwnAudience,
    HasRealm, HasStore, Missing, Part, Plain, Protects, SharedAudience, SharedIssuer,
};
pub use keys::{IntoRing, Keys};
#[cfg(feature = "axum")]
pub(crate) use running::Running;
pub use sessions::{Health, SessionInfo, SessionList};
pub use tokens::TokenList;
#[cfg(feature = "postgres")]
pub use transaction::Revoking;
#[cfg(feature = "axum")]
pub(crate) use verifier::BEARER;
pub use verifier::Verifier;

/// The former name of [`RouteConfig`].
#[deprecated(since = "0.1.0", note = "use `RouteConfig`")]
pub type Shape = RouteConfig;
/// The former name of [`RouteOptions`].
#[deprecated(since = "0.1.0", note = "use `RouteOptions`")]
pub type RouteShape = RouteOptions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::{Error, ErrorKind, Refusal};
use crate::flow::Flows;
use crate::session::{Engine, Issued, Occasion, Place, Revoke};
use crate::store::{Archived, Revoked, StoreError};
use crate::token::{JwtClaims, Minted, Verified};

#[cfg(not(feature = "axum"))]
use running::Running;

/// A running gate. Clones share everything; its tasks stop with the last of them.
pub struct Gate<B: AuthBackend> {
    backend: Arc<B>,
    running: Arc<Running>,
}

/// The claims of a backend's users.
type ClaimsOf<B> = <<B as AuthBackend>::User as JwtClaims>::Claims;

impl<B: AuthBackend> Gate<B> {
    /// The backend.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// What verifies this gate's tokens: for a state of your own.
    #[must_use]
    pub fn verifier(&self) -> Verifier<B::User> {
        Verifier::new(Arc::clone(&self.running))
    }

    /// Returns the gate without the type of its backend.
    #[cfg(feature = "axum")]
    pub(crate) fn running(&self) -> &Arc<Running> {
        &self.running
    }

    fn flows(&self) -> &Flows {
        self.running.flows()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.running.flows().engine
    }

    /// Refuses because `refresh` of the backend answered another user than this one.
    #[cfg(feature = "axum")]
    pub(crate) fn other_subject(&self, subject: &str) -> Refusal {
        self.engine().other_subject("refresh", subject)
    }

    /// Opens a session for a user whom you authenticated yourself.
    ///
    /// # Errors
    /// [`Code::Unavailable`] where the store cannot decide, or where the subject was changed within
    /// the last second: load the user again, and try again. [`Code::Forbidden`] where the device
    /// limit denies it.
    pub async fn sign_in(&self, user: B::User, client: &Client) -> Result<Issued, Refusal> {
        self.flows().sign_in(&user.to_claims(), client).await
    }

    /// Signs in with credentials, as `POST /auth/signin` does. `login` is asked for them once, and
    /// once more where the subject changed meanwhile: an old password does not outlive a change of
    /// it.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`] where the backend lets nobody in, [`Code::TooManyRequests`]
    /// after too many attempts (feature `rate-limit`), [`Code::InsufficientUserAuthentication`]
    /// where a further step is needed, which [`Refusal::step`] names; otherwise as
    /// [`sign_in`](Self::sign_in), and the refusals of `login`.
    pub async fn sign_in_with<F>(&self, mut login: F, client: &Client) -> Result<Issued, Refusal>
    where
        F: FnMut() -> Result<B::Login, Refusal>,
    {
        let boxed = || login().map(|login| Box::new(login) as _);
        self.flows().sign_in_with(boxed, client).await
    }

    /// Goes on with a sign-in that needs a further step, as `POST /auth/signin/step` does. `token`
    /// is that of [`Refusal::step`], and is burnt.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`]: the answer is wrong,
    /// and [`Refusal::step`] has another token where it may be given again; or the token is not
    /// known, and the sign-in starts over.
    /// [`Code::InsufficientUserAuthentication`]:
    /// there is one more step. [`Code::Unavailable`],
    /// [`Code::TooManyRequests`]: nothing changed, and the
    /// token still counts.
    pub async fn sign_in_step(
        &self,
        token: &str,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        self.flows().sign_in_step(token, answer, client).await
    }

    /// Counts something that the application does for somebody without signing them in, before it
    /// is done: sends a letter, opens an account. `name` says what, `whom` for whom: an address, an
    /// identifier, in its one form.
    ///
    /// It is counted under the client's address with the sign-ins (`throttle.client`), and by
    /// `name` and `whom` under `throttle.action`, whether or not there is such an account.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`], and after how long to try again; `Unavailable` where the store
    /// cannot count.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::gate::AuthBackend;
    /// # use tollgate::prelude::*;
    /// async fn forgot<B: AuthBackend>(
    ///     gate: &Gate<B>,
    ///     email: &str,
    ///     client: &Client,
    /// ) -> Result<(), Refusal> {
    ///     let email = tollgate::gate::normalize_identifier(email);
    ///     gate.allow("forgot", &email, client).await?;
    ///     // … send the letter, if there is such an account
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    #[cfg(feature = "rate-limit")]
    pub async fn allow(&self, name: &str, whom: &str, client: &Client) -> Result<(), Refusal> {
        self.flows().allow(name, whom, client).await
    }

    /// Exchanges a refresh token, as `POST /auth/refresh-access` does.
    ///
    /// # Errors
    /// [`Code::InvalidGrant`]: sign in again.
    /// [`Code::Unavailable`]: nothing changed, try again.
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<Issued, Refusal> {
        self.flows().refresh(token, client).await
    }

    /// Verifies an access token as a protected route does.
    ///
    /// # Errors
    /// [`Code::InvalidToken`], [`Code::TokenExpired`]; [`Code::Unavailable`] where nobody could
    /// decide.
    pub async fn verify(&self, token: &str) -> Result<Verified<ClaimsOf<B>>, Refusal> {
        self.engine().admission.admit(token).await
    }

    /// Verifies an access token that this server issued for the request in hand, before its client
    /// has it: after [`refresh`](Self::refresh) or [`sign_in`](Self::sign_in), for a handler that
    /// goes on with the user. The refresh stays unconfirmed until the client itself uses the token,
    /// so an answer that is lost can be asked for again. [`verify`](Self::verify) of the same text
    /// would say that the client has it.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_issued(&self, issued: &Issued) -> Result<Minted<ClaimsOf<B>>, Refusal> {
        let admission = &self.engine().admission;
        admission.admit_minted(&issued.access_token).await
    }

    /// The same for a token that a client uses: what it is bound to is compared with the client
    /// (`binding.*`).
    ///
    /// # Errors
    /// As [`verify`](Self::verify), which compares nothing.
    pub async fn verify_from(
        &self,
        token: &str,
        client: &Client,
    ) -> Result<Verified<ClaimsOf<B>>, Refusal> {
        let admission = &self.engine().admission;
        let (now, consistency) = (
            admission.now(),
            self.engine().settings.revocation.consistency,
        );
        let verified = admission.verify(token, now)?;
        if admission.must_ask(consistency, now) {
            admission.ask(consistency, now).await?;
        }
        let place = || Place {
            device_id: client.device.id.as_deref(),
            ip: client.ip,
        };
        admission.admit_known(verified.token(), Occasion::entry(&verified), Some(place))?;
        Ok(verified)
    }

    /// Signs an access token without a session: it has no `sid`, no `gen` and no `auth_time`, and
    /// cannot be refreshed. It is in the registry once it is [registered](Self::register).
    ///
    /// # Errors
    /// The lifetime is above `access.max_ttl`, or the store cannot tell the subject's epoch.
    pub async fn issue(&self, user: &B::User, lifetime: Duration) -> Result<String, Error> {
        self.flows().issue(&user.to_claims(), lifetime).await
    }

    /// Revokes. When this returns, the store remembers it, this node refuses, and every node that
    /// reaches the store will within a second or so.
    ///
    /// # Errors
    /// The store cannot be written to; or the key is the one that signs, or is to sign next.
    pub async fn revoke(&self, revoke: Revoke) -> Result<Revoked, Error> {
        self.flows().revoke(revoke).await
    }

    /// Stops issuing and verifying, here and wherever the store reaches, until
    /// [`resume`](Self::resume): every answer is 503.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub async fn pause(&self) -> Result<(), Error> {
        let paused = self.engine().set_paused(true).await;
        paused.map_err(failed("pause the deployment"))
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    /// The store cannot be written to.
    pub async fn resume(&self) -> Result<(), Error> {
        let resumed = self.engine().set_paused(false).await;
        resumed.map_err(failed("resume the deployment"))
    }

    /// Lists sessions and changes what they remember.
    #[must_use]
    pub fn sessions(&self) -> SessionList<'_> {
        SessionList::new(self.engine())
    }

    /// Writes what is waiting to be written, and stops the tasks. Requests are still answered.
    ///
    /// # Errors
    /// The store could not be written to; what was lost only keeps a lost answer forgivable for
    /// longer.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let stopped = self.running.stop().await;
        stopped.map_err(failed("write the confirmations that were waiting"))
    }

    /// Returns what is known of a token that counts, as RFC 7662 section 2.2 names it, with the
    /// user's own claims; `None` for every other one.
    ///
    /// It counts where a route of this gate would take it: signature, times, kind and revocations
    /// hold. Claims that are confidential are left out.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: nobody could decide.
    #[cfg(feature = "axum")]
    pub async fn introspect(
        &self,
        token: &str,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Refusal> {
        self.flows().introspect(token).await
    }

    /// Deletes what ended before `before` and is not needed any more, in batches of 500 rows.
    ///
    /// A session stays until its absolute expiry, ended or not, so that an old refresh token of it
    /// is still recognised; the tokens of the registry stay with it, and a token stays as long as
    /// one below it does.
    ///
    /// The gate does the same by itself: see `archive.interval` and `archive.age`, and
    /// [`GateBuilder::archive`].
    ///
    /// # Errors
    /// `before` is in the future, or the store cannot be written to; what was deleted by then stays
    /// deleted.
    pub async fn archive(&self, before: Timestamp) -> Result<Archived, Error> {
        if before > self.engine().time.now() {
            return Err(Error::new(
                ErrorKind::Usage,
                "the archive takes what ended in the past: `before` lies in the future",
            ));
        }
        let archived = self.engine().archive(before).await;
        archived.map_err(failed("archive what ended"))
    }
}

impl<B: AuthBackend> Clone for Gate<B> {
    fn clone(&self) -> Self {
        Self {
            backend: Arc::clone(&self.backend),
            running: Arc::clone(&self.running),
        }
    }
}

impl<B: AuthBackend> fmt::Debug for Gate<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("issuer", &self.engine().settings.issuer)
            .finish_non_exhaustive()
    }
}

/// Returns what turns an error of the store into that of an operation: "the store failed to …".
fn failed(to: &'static str) -> impl FnOnce(StoreError) -> Error {
    move |error| Error::new(ErrorKind::Store, format!("the store failed to {to}")).because(error)
}
