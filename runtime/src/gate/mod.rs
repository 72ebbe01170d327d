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
#[cfg(feature = "cookies")]
mod pages;
#[cfg(feature = "axum")]
mod places;
mod running;
mod seal;
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
#[doc(hidden)]
pub use backend::{AddedMembers, AnswerForm};
pub use backend::{
    Answer, Answering, AuthBackend, AuthRoute, Authenticate, EmailLogin, Exchange, Exchanged,
    FromStored, GuardLogin, Loaded, NoRefresh, Own, Package, Refresh, Reload, Renew, RouteConfig,
    RouteOptions, SignIn, UsernameLogin,
};
#[cfg(feature = "axum")]
pub(crate) use backend::{accompanied, is_ours, parse_body};
#[cfg(not(feature = "jwe"))]
#[doc(hidden)]
pub use builder::Encrypted;
#[cfg(feature = "jwe")]
pub use builder::Encrypted;
pub use builder::{
    Building, Encryption, GateBuilder, Given, HasAudience, HasIssuer, HasKeys, HasOwnAudience,
    HasRealm, HasStore, Missing, Part, Plain, Protects, SharedAudience, SharedIssuer,
};
#[cfg(feature = "cli")]
pub(crate) use keys::open_shared;
pub use keys::{IntoRing, Keys};
#[cfg(feature = "cookies")]
pub(crate) use pages::{PageTokens, Renewed};
#[cfg(feature = "axum")]
pub(crate) use places::{metadata_path, path_of};
#[cfg(feature = "axum")]
pub(crate) use running::Running;
pub use seal::SealPurpose;
pub use sessions::{Health, SessionInfo, SessionList};
#[cfg(feature = "axum")]
pub(crate) use tasks::RELOAD;
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
    /// Returns the backend.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Returns the verifier of this gate's tokens, for an axum state that does not have the gate.
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

    /// Refuses because `refresh` of the backend returned another user than this one.
    #[cfg(feature = "axum")]
    pub(crate) fn other_subject(&self, subject: &str) -> Refusal {
        self.engine().other_subject("refresh", subject)
    }

    /// Opens a session for a user whom you authenticated yourself.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the store cannot decide, or the subject was changed within the last
    /// second; load the user again, and try again. [`Code::Forbidden`]: the device limit is
    /// reached, and `session.on_limit` is `deny`.
    pub async fn sign_in(&self, user: B::User, client: &Client) -> Result<Issued, Refusal> {
        self.flows().sign_in(&user.to_claims(), client).await
    }

    /// Signs in with credentials, as `POST /auth/signin` does. `login` returns the credentials. It
    /// is called a second time if the subject was changed meanwhile, so that an old password cannot
    /// open a session after it was changed.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`]: the backend refuses the credentials.
    /// [`Code::TooManyRequests`]: there were too many attempts (feature `rate-limit`).
    /// [`Code::InsufficientUserAuthentication`]: a further step is needed, which [`Refusal::step`]
    /// names. Otherwise as [`sign_in`](Self::sign_in), and the refusals of `login`.
    pub async fn sign_in_with<F>(&self, mut login: F, client: &Client) -> Result<Issued, Refusal>
    where
        F: FnMut() -> Result<B::Login, Refusal>,
    {
        let boxed = || login().map(|login| Box::new(login) as _);
        self.flows().sign_in_with(boxed, client).await
    }

    /// Continues a sign-in that needs a further step, as `POST /auth/signin/step` does. `token` is
    /// that of [`Refusal::step`], and is used up.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`]: the answer is wrong, and [`Refusal::step`] has another token
    /// if the client may answer again; or the token is not known, and the sign-in starts over.
    /// [`Code::InsufficientUserAuthentication`]: there is one more step. [`Code::Unavailable`],
    /// [`Code::TooManyRequests`]: nothing changed, and the token is still valid.
    pub async fn sign_in_step(
        &self,
        token: &str,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        self.flows().sign_in_step(token, answer, client).await
    }

    /// Counts an attempt at an action of the application by a client who is not signed in, such as
    /// sending an email or opening an account. Call it before the action. `name` names the action;
    /// `whom` is its target: an email address or another identifier, in its normal form.
    ///
    /// The attempt counts twice: for the client's address, together with sign-ins
    /// (`throttle.client`); and for `name` and `whom` (`throttle.action`), whether or not there is
    /// such an account.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`], with the time after which to try again; [`Code::Unavailable`]:
    /// the store cannot count.
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
    ///     // … send the email, if there is such an account
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
    /// [`Code::InvalidToken`]; [`Code::TokenExpired`]; [`Code::Unavailable`]: the gate cannot
    /// decide.
    pub async fn verify(&self, token: &str) -> Result<Verified<ClaimsOf<B>>, Refusal> {
        self.engine().admission.admit(token).await
    }

    /// Verifies an access token that this server has just issued and that the client does not have
    /// yet. For a handler that calls [`refresh`](Self::refresh) or [`sign_in`](Self::sign_in) and
    /// continues with the user. Unlike [`verify`](Self::verify) it does not confirm that the client
    /// has the token, so the client can still ask again for a lost answer.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_issued(&self, issued: &Issued) -> Result<Minted<ClaimsOf<B>>, Refusal> {
        let admission = &self.engine().admission;
        admission.admit_minted(&issued.access_token).await
    }

    /// Verifies an access token as [`verify`](Self::verify) does, and compares the device and the
    /// network that it is bound to with those of the client (`binding.*`).
    ///
    /// # Errors
    /// As [`verify`](Self::verify); and the token is bound to another device or network.
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
    /// The lifetime is above `access.max_ttl`, or the store could not return the subject's epoch.
    pub async fn issue(&self, user: &B::User, lifetime: Duration) -> Result<String, Error> {
        self.flows().issue(&user.to_claims(), lifetime).await
    }

    /// Revokes sessions or tokens. When this returns, the revocation is stored and this node
    /// refuses them; every other node that reaches the store does so within about a second.
    ///
    /// # Errors
    /// The store cannot be written to; or the target is the current signing key or the next one.
    pub async fn revoke(&self, revoke: Revoke) -> Result<Revoked, Error> {
        self.flows().revoke(revoke).await
    }

    /// Stops issuing and verifying, on every node of the store, until [`resume`](Self::resume):
    /// every answer is 503.
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

    /// Returns the list of sessions.
    pub fn sessions(&self) -> SessionList<'_> {
        SessionList::new(self.engine())
    }

    /// Writes the confirmations of refreshes that are waiting, waits until the queued handlers of
    /// events have handled what is in their queues, and stops the gate's tasks. Call it after the
    /// server has stopped; the gate still answers requests.
    ///
    /// The handlers have ten seconds. Events that a handler did not get to by then are lost, for
    /// example where the receiver of a webhook does not answer: the log says how many, and
    /// [`Health::dropped_events`] counts them.
    ///
    /// # Errors
    /// The store could not be written to. The only effect is that some clients can ask again for a
    /// lost answer for longer.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let stopped = self.running.stop().await;
        stopped.map_err(failed("write the confirmations that were waiting"))
    }

    /// Returns the description of a valid token: the members of RFC 7662 section 2.2 and the user's
    /// own claims. Returns `None` for every other text.
    ///
    /// A token is valid if a route of this gate would accept it: its signature, times and kind are
    /// right, and it is not revoked. Confidential claims are left out.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the gate could not decide.
    #[cfg(feature = "axum")]
    pub async fn introspect(
        &self,
        token: &str,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Refusal> {
        self.flows().introspect(token).await
    }

    /// Deletes rows that ended before `before` and are not needed any more, in batches of 500.
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
                "`gate.archive` deletes rows that have ended: `before` must not be in the future",
            ));
        }
        let archived = self.engine().archive(before).await;
        archived.map_err(failed("delete ended rows"))
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

/// Returns a function that turns an error of the store into that of an operation: "the store failed
/// to …".
fn failed(to: &'static str) -> impl FnOnce(StoreError) -> Error {
    move |error| Error::new(ErrorKind::Store, format!("the store failed to {to}")).because(error)
}
