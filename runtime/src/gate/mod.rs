//! The gate: a backend, its settings, its keys and its store, put together once.

mod account;
mod action;
mod archive;
mod attempt;
mod backend;
mod builder;
mod exchange;
mod identifier;
#[cfg(feature = "axum")]
mod introspect;
mod keys;
#[cfg(feature = "axum")]
mod request;
mod sessions;
mod step;
mod task;
mod tokens;
mod verifier;

#[allow(deprecated, reason = "a program that names it gets the warning")]
pub use account::Sessions;
pub use account::{Access, EndSessions};
/// The former name of [`RouteConfig`].
#[deprecated(since = "0.1.0", note = "use `RouteConfig`")]
pub type Shape = RouteConfig;
/// The former name of [`RouteOptions`].
#[deprecated(since = "0.1.0", note = "use `RouteOptions`")]
pub type RouteShape = RouteOptions;

pub use backend::{
    AuthBackend, AuthRoute, Authenticate, EmailLogin, FromStored, Own, Refresh, Reload, Renew,
    RouteConfig, RouteOptions, SignIn, UsernameLogin,
};
#[cfg(feature = "jwe")]
pub use builder::Encrypted;
pub use builder::{
    Building, Encryption, GateBuilder, Given, HasAudience, HasIssuer, HasKeys, HasStore, Missing,
    Plain, Protects,
};
pub use exchange::{Exchange, Exchanged, GuardLogin};
pub use identifier::normalize_identifier;
pub use keys::{IntoRing, Keys};
pub use sessions::{Health, SessionInfo, SessionList};
pub use step::StepAnswer;
pub use tokens::TokenList;
#[cfg(feature = "axum")]
pub(crate) use verifier::BEARER;
pub use verifier::Verifier;

#[cfg(feature = "axum")]
pub(crate) use request::Renewal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{AuthError, Code, Error, ErrorKind, Refusal};
use crate::event::{Event, EventKind};
use crate::keys::KeyState;
use crate::session::{Attempt, Issued, Login, Occasion, Place, RefreshContext, Revoke};
use crate::store::{Authenticated, RevokeReason, Revoked, Session, Target};
use crate::token::{JwtClaims, Verified};

use step::Stage;
use task::Running;

/// A running gate. Clones share everything; its tasks stop with the last of them.
pub struct Gate<B: AuthBackend>(Arc<Inner<B>>);

struct Inner<B> {
    backend: B,
    running: Arc<Running>,
    #[cfg(feature = "rate-limit")]
    throttle: crate::throttle::Throttle,
}

/// The claims of a backend's users.
type ClaimsOf<B> = <<B as AuthBackend>::User as JwtClaims>::Claims;

impl<B: AuthBackend> Gate<B> {
    /// The backend.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.0.backend
    }

    /// What verifies this gate's tokens: for a state of your own.
    #[must_use]
    pub fn verifier(&self) -> Verifier<B::User> {
        Verifier::new(Arc::clone(&self.0.running))
    }

    pub(crate) fn running(&self) -> &Running {
        &self.0.running
    }

    /// Opens a session for a user whom you authenticated yourself.
    ///
    /// # Errors
    /// [`Code::Unavailable`] where the store cannot decide, or where the subject was changed within
    /// the last second: load the user again, and try again. [`Code::Forbidden`] where the device
    /// limit denies it.
    pub async fn sign_in(&self, user: B::User, client: &Client) -> Result<Issued, Refusal> {
        let (since, started_at) = self.begin();
        match self
            .open(&user.to_claims(), client, since, started_at, None)
            .await?
        {
            Attempt::Open(issued) => Ok(*issued),
            Attempt::Again(_) => Err(Code::Unavailable.into()),
        }
    }

    /// Signs in with credentials, as `POST /auth/signin` does. `login` is asked for them once, and
    /// once more where the subject changed meanwhile: an old password does not outlive a change of
    /// it.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`] for whoever does not get in, [`Code::TooManyRequests`] for
    /// whoever tried too often (feature `rate-limit`), [`Code::InsufficientUserAuthentication`]
    /// where a further step is needed, which [`Refusal::step`] names; otherwise as
    /// [`sign_in`](Self::sign_in), and whatever `login` says.
    pub async fn sign_in_with<F>(&self, mut login: F, client: &Client) -> Result<Issued, Refusal>
    where
        F: FnMut() -> Result<B::Login, Refusal>,
    {
        // A paused deployment does not even tell which password is right.
        self.running().engine.refuse_while_paused()?;
        let first = login()?;
        let identifier = B::Entry::identifier(self.backend(), &first);
        let counted = self.count_sign_in(identifier.as_deref(), client).await;
        counted.map_err(|refusal| self.report_refused(refusal, client))?;
        let (since, started_at) = self.begin();
        let stage =
            |since, started_at| Stage::new(identifier.clone(), (since, started_at), None, client);
        let user = self
            .authenticate(first, client, stage(since, started_at))
            .await;
        let user = user.map_err(|refusal| self.report_refused(refusal, client))?;
        let issued = match self
            .open(&user.to_claims(), client, since, started_at, None)
            .await?
        {
            Attempt::Open(issued) => issued,
            Attempt::Again(expected) => {
                let (since, started_at) = self.begin();
                let user = self
                    .authenticate(login()?, client, stage(since, started_at))
                    .await;
                let user = user.map_err(|refusal| self.report_refused(refusal, client))?;
                match self
                    .open(&user.to_claims(), client, expected, started_at, None)
                    .await?
                {
                    Attempt::Open(issued) => issued,
                    Attempt::Again(_) => return Err(Code::Unavailable.into()),
                }
            }
        };
        self.remember(identifier.as_deref(), client).await;
        Ok(*issued)
    }

    async fn open(
        &self,
        claims: &ClaimsOf<B>,
        client: &Client,
        authenticated: Authenticated,
        auth_time: Timestamp,
        acr: Option<&str>,
    ) -> Result<Attempt, Refusal> {
        let keep_claims = B::Renewal::STORED;
        // Before the device limit counts: the sessions that this one replaces are none too many.
        for sid in &client.presented {
            let ended = self
                .running()
                .engine
                .revoke_target(Target::Session(*sid), RevokeReason::SignOut)
                .await;
            ended.map_err(Refusal::unavailable)?;
        }
        self.running()
            .engine
            .open(&Login {
                claims,
                client,
                keep_claims,
                authenticated,
                auth_time,
                acr,
            })
            .await
    }

    /// Asks the backend who this is. The client learns no reason (R117).
    async fn authenticate(
        &self,
        login: B::Login,
        client: &Client,
        stage: Stage,
    ) -> Result<B::User, Refusal> {
        match B::Entry::sign_in(self.backend(), login, client).await {
            Ok(user) => Ok(user),
            Err(AuthError::More(step)) => Err(self.offer(*step, stage).await),
            Err(AuthError::Unavailable(source)) => Err(Refusal::unavailable(source)),
            Err(AuthError::Invalid | AuthError::Disabled | AuthError::Gone) => {
                Err(Code::InvalidCredentials.into())
            }
        }
    }

    /// Tells that nobody got in. That a step is needed was told already.
    fn report_refused(&self, refusal: Refusal, client: &Client) -> Refusal {
        if refusal.step().is_some() && refusal.code() == Code::InsufficientUserAuthentication {
            return refusal;
        }
        let kind = EventKind::SignInRefused(refusal.code());
        self.running()
            .engine
            .events
            .emit(&Event::new(kind).ip(client.ip));
        refusal
    }

    /// Exchanges a refresh token, as `POST /auth/refresh-access` does.
    ///
    /// # Errors
    /// [`Code::InvalidGrant`]: sign in again. [`Code::Unavailable`]: nothing changed, try again.
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<Issued, Refusal> {
        self.count_refresh(client)?;
        let context = RefreshContext {
            device_id: client.device.id.as_deref(),
            ip: client.ip,
            transport: client.transport,
        };
        let renew = async |session: Session| {
            let kept = self.running().engine.kept_claims(&session);
            B::Renewal::renew(self.backend(), &session.subject, kept.as_deref(), client).await
        };
        self.running().engine.refresh(token, context, renew).await
    }

    /// Verifies an access token as a guarded route does.
    ///
    /// # Errors
    /// [`Code::InvalidToken`], [`Code::TokenExpired`]; [`Code::Unavailable`] where nobody could
    /// decide.
    pub async fn verify(&self, token: &str) -> Result<Verified<ClaimsOf<B>>, Refusal> {
        self.running().engine.admit(token, Occasion::Entry).await
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
        let engine = &self.running().engine;
        let place = || Place {
            device_id: client.device.id.as_deref(),
            ip: client.ip,
        };
        engine
            .admit_from(
                token,
                Occasion::Entry,
                engine.settings.revocation.consistency,
                Some(place),
            )
            .await
    }

    /// Signs an access token without a session: it has no `sid`, no `gen` and no `auth_time`, and
    /// cannot be refreshed. It is in the registry once it is [registered](Self::register).
    ///
    /// # Errors
    /// The lifetime is above `access.max_ttl`, or the store cannot tell the subject's epoch.
    pub async fn issue(&self, user: &B::User, lifetime: Duration) -> Result<String, Error> {
        self.running()
            .engine
            .issue_alone(&user.to_claims(), lifetime)
            .await
    }

    /// Revokes. When this returns, the store remembers it, this node refuses, and every node that
    /// reaches the store will within a second or so.
    ///
    /// # Errors
    /// The store cannot be written to; or the key is the one that signs, or is to sign next.
    pub async fn revoke(&self, revoke: Revoke) -> Result<Revoked, Error> {
        let target = match revoke.0 {
            Target::AccessOf(subject) if B::Renewal::STORED => Target::Subject(subject),
            Target::Key(kid) => match self
                .running()
                .engine
                .ring
                .set()
                .verifying()
                .iter()
                .find(|key| **key.kid() == *kid)
            {
                Some(key) if key.state() == KeyState::Current => {
                    let why =
                        "the key signs this gate's tokens: rotate the ring before it is revoked";
                    return Err(Error::new(ErrorKind::Usage, why));
                }
                Some(key) if key.state() == KeyState::Next => {
                    let why = "the key is to sign next, and its tokens would be dead: retire it \
                               from the ring before it is revoked";
                    return Err(Error::new(ErrorKind::Usage, why));
                }
                _ => Target::Key(kid),
            },
            Target::Token(jti) => self
                .running()
                .engine
                .resolve_target(jti)
                .await
                .map_err(store_error)?,
            target => target,
        };
        self.running()
            .engine
            .revoke_target(target, RevokeReason::Requested)
            .await
            .map_err(store_error)
    }

    /// Stops issuing and verifying, here and wherever the store reaches, until
    /// [`resume`](Self::resume): every answer is 503.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub async fn pause(&self) -> Result<(), Error> {
        self.running()
            .engine
            .set_paused(true)
            .await
            .map_err(store_error)
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    /// The store cannot be written to.
    pub async fn resume(&self) -> Result<(), Error> {
        self.running()
            .engine
            .set_paused(false)
            .await
            .map_err(store_error)
    }

    /// Lists sessions and changes what they remember.
    #[must_use]
    pub fn sessions(&self) -> SessionList<'_> {
        SessionList::new(&self.running().engine)
    }

    /// Writes what is waiting to be written, and stops the tasks. Requests are still answered.
    ///
    /// # Errors
    /// The store could not be written to; what was lost only keeps a lost answer forgivable for
    /// longer.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.running().stop().await.map_err(store_error)
    }

    /// When a sign-in begins: by the store's clock, against which changes of the subject are
    /// compared, and by this machine's.
    fn begin(&self) -> (Authenticated, Timestamp) {
        let engine = &self.running().engine;
        (Authenticated::Since(engine.time.now()), engine.clock.now())
    }
}

impl<B: AuthBackend> Clone for Gate<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: AuthBackend> fmt::Debug for Gate<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("issuer", &self.running().engine.settings.issuer)
            .finish_non_exhaustive()
    }
}

fn store_error(error: crate::store::StoreError) -> Error {
    Error::new(ErrorKind::Store, "the store could not do it").because(error)
}
