//! Extractors: the caller of a request, checked by a policy. The body of a refused request is not
//! read.

mod client;
mod credential;
mod current;
mod ended;
mod flow;
mod granted;
mod handed;
mod handler;
mod one_of;
mod only;
mod presented;
pub(super) mod state;
mod subprotocol;
mod undecided;

pub use current::Current;
pub use flow::{Allowed, AuthFlow, OpenSession};
pub use granted::Granted;
pub use one_of::OneOf;
pub use only::{BearerOnly, CookieOnly};
pub use state::{Holds, HoldsGate};

#[cfg(feature = "cookies")]
pub use super::leave::{Leave, Returned};
pub use super::signed_in::{SignedIn, SignedInCookies};

pub(super) use client::address;
pub(super) use credential::bearer;
#[cfg(feature = "cookies")]
pub(super) use credential::{InHeader, Taken, credential, in_header, place};
#[cfg(feature = "cookies")]
pub(super) use handed::{CallerToken, HandedCaller};
pub(super) use handler::KnownCaller;
pub(super) use presented::{
    Credentials, all_cookies, cookies_of, keep_cookies, note_hidden, was_hidden,
};
#[cfg(feature = "cookies")]
pub(super) use undecided::Undecided;

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use http::request::Parts;

use super::problem::Rejection;
use crate::clock::Timestamp;
use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::gate::{Running, Verifier};
use crate::policy::compose::consistency;
use crate::policy::{Anyone, PolicyFor, Rule, decide};
use crate::token::{ClaimSet as _, JwtClaims, Known, TokenInfo};

#[cfg(not(feature = "cookies"))]
use credential::{Taken, credential, place};
use credential::{report_accepted, report_refused};
#[cfg(not(feature = "cookies"))]
use handed::{CallerToken, HandedCaller};
#[cfg(not(feature = "cookies"))]
use undecided::Undecided;

/// A caller who is signed in and satisfies the policy `P`.
///
/// As a handler's argument it refuses every other request, before the body is read:
///
/// - 401: there are no credentials, or they are not valid; or the policy requires a more recent or
///   a stronger authentication;
/// - 403: the policy refuses the caller; or a page of another origin sent the cookie;
/// - 400: the request has more than one credential;
/// - 503: the gate cannot decide.
///
/// `Option<Auth<U>>` is `None` if no credentials were sent; bad credentials are still refused.
///
/// The bound on `P` says that `P` is a policy for `U`: `P: PolicyFor<U>`.
///
/// It derefs to the claims: `user.email()`. A claim whose field has the name of a function of
/// `Auth` is read through [`claims`](Self::claims): `user.claims().token()`.
#[must_use]
pub struct Auth<U, P = Anyone>
where
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    caller: CallerToken<U::Claims>,
    transport: Transport,
    /// The verifier of the token, whose clock and settings apply to further policies.
    verifier: Verifier<U>,
    policy: PhantomData<fn() -> P>,
}

/// A valid token, and whether it came in a header or in a cookie.
type Found<U> = (CallerToken<<U as JwtClaims>::Claims>, Transport);

impl<U: JwtClaims, P: PolicyFor<U>> Auth<U, P> {
    /// Returns the caller's claims.
    #[must_use]
    pub fn claims(&self) -> &U::Claims {
        self.caller.claims()
    }

    /// Returns the caller's claims by value.
    #[must_use]
    pub fn into_claims(self) -> U::Claims {
        self.caller.into_claims()
    }

    /// Returns the caller's subject.
    #[must_use]
    pub fn subject(&self) -> &U::Subject {
        self.claims().subject()
    }

    /// Returns the claims that the gate itself wrote into the token: `iss`, `exp`, `sid` and the
    /// like.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        self.caller.token()
    }

    /// Returns the way in which the token came: in a header, or in a cookie.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Finds the caller of a whole request, for routes that the gate itself has.
    pub(super) async fn admitted(
        request: Request,
        verifier: &Verifier<U>,
    ) -> Result<(Self, Request), Rejection> {
        let (mut parts, body) = request.into_parts();
        let caller = Self::demand(&mut parts, verifier.clone(), Taken::Both).await?;
        Ok((caller, Request::from_parts(parts, body)))
    }

    /// Finds the caller of a request; `None` if it has no credentials. Afterwards the token of a
    /// web socket is no longer in a header.
    async fn find(
        parts: &mut Parts,
        verifier: Verifier<U>,
        taken: Taken,
    ) -> Result<Option<Self>, Rejection> {
        let looked = Self::look(parts, &verifier, taken).await;
        subprotocol::hide(&mut parts.headers, &mut parts.extensions);
        match looked {
            Ok(found) => Ok(found.map(|found| Self::new(found, verifier))),
            Err(refusal) => Err(refuse(refusal, parts, &verifier.scheme())),
        }
    }

    /// Finds the caller of a request, and refuses a request without credentials.
    async fn demand(
        parts: &mut Parts,
        verifier: Verifier<U>,
        taken: Taken,
    ) -> Result<Self, Rejection> {
        let looked = Self::look(parts, &verifier, taken).await;
        subprotocol::hide(&mut parts.headers, &mut parts.extensions);
        let refusal = match looked {
            Ok(Some(found)) => return Ok(Self::new(found, verifier)),
            Ok(None) => Code::MissingToken.into(),
            Err(refusal) => refusal,
        };
        Err(refuse(refusal, parts, &verifier.scheme()))
    }

    fn new((caller, transport): Found<U>, verifier: Verifier<U>) -> Self {
        Self {
            caller,
            transport,
            verifier,
            policy: PhantomData,
        }
    }

    /// Verifies the credentials of a request; `None` if it has no credentials. Reports those
    /// that are refused.
    async fn look(
        parts: &Parts,
        verifier: &Verifier<U>,
        taken: Taken,
    ) -> Result<Option<Found<U>>, Refusal> {
        let Some(gate) = verifier.running() else {
            return Box::pin(Self::authenticate_elsewhere(parts, verifier, taken)).await;
        };
        let now = gate.admission().now();
        let found = match Self::verify(parts, gate, taken, now) {
            Ok(Some(found)) => {
                let asked = Self::ask_if_due(parts, gate, now).await;
                asked
                    .and_then(|()| Self::admit(found, parts, gate))
                    .map(Some)
            }
            Ok(None) => Ok(None),
            Err(refusal) => Err(refusal),
        };
        match &found {
            Ok(Some((verified, _))) => report_accepted(gate, parts, verified.token()),
            Ok(None) => {}
            Err(refusal) => report_refused(gate, parts, refusal),
        }
        found
    }

    /// Verifies the credentials of a request without asking the store, so it does not wait.
    fn verify(
        parts: &Parts,
        gate: &Running,
        taken: Taken,
        now: Timestamp,
    ) -> Result<Option<Found<U>>, Refusal> {
        if let Some(handed) = HandedCaller::of(parts, gate)
            && let Some(caller) = handed.typed()
            && taken.takes_cookie_alone(parts, gate)?
        {
            return Ok(Some((caller, Transport::Cookie)));
        }
        Undecided::refuse(parts, gate, taken)?;
        let Some((token, transport)) = credential(parts, gate, taken)? else {
            return Ok(None);
        };
        let verified = gate.admission().verify(token, now)?;
        Ok(Some((CallerToken::Sent(verified), transport)))
    }

    /// Asks the store for revocations, where the local view alone must not decide. That is rare, so
    /// the future is boxed, and the future of each request stays small.
    async fn ask_if_due(parts: &Parts, gate: &Running, now: Timestamp) -> Result<(), Refusal> {
        let consistency = consistency::<U, P>(gate.settings().revocation.consistency);
        let admission = gate.admission();
        let was_asked = || HandedCaller::of(parts, gate).is_some_and(|h| h.was_asked(consistency));
        if admission.must_ask(consistency, now) && !was_asked() {
            Box::pin(admission.ask(consistency, now)).await?;
        }
        Ok(())
    }

    /// Checks a verified token against the revocations, the device and network of the request, and
    /// the policy.
    fn admit(found: Found<U>, parts: &Parts, gate: &Running) -> Result<Found<U>, Refusal> {
        let (settings, admission) = (gate.settings(), gate.admission());
        let (caller, _) = &found;
        // A token that was issued for this request was bound to the request's own place.
        let place = match caller {
            CallerToken::Sent(_) => Some(|| place(parts, settings)),
            CallerToken::Minted(_) => None,
        };
        admission.admit_known(caller.token(), caller.occasion(), place)?;
        if !matches!(P::RULE, Rule::Anyone) {
            decide(&P::RULE, caller, admission.now()).or_refuse()?;
        }
        Ok(found)
    }
}

/// Returns a refusal as the client of this request reads it.
fn refuse(refusal: Refusal, parts: &Parts, scheme: &Arc<str>) -> Rejection {
    Rejection::new(refusal, scheme).for_client(&parts.headers)
}

impl<U: JwtClaims, P: PolicyFor<U>> Deref for Auth<U, P> {
    type Target = U::Claims;

    fn deref(&self) -> &U::Claims {
        self.claims()
    }
}

impl<S, U, P> FromRequestParts<S> for Auth<U, P>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Self::demand(parts, Holds::<U>::verifier(state), Taken::Both).await
    }
}

impl<S, U, P> OptionalFromRequestParts<S> for Auth<U, P>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Self::find(parts, Holds::<U>::verifier(state), Taken::Both).await
    }
}

impl<U: JwtClaims, P: PolicyFor<U>> fmt::Debug for Auth<U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(self.claims()).finish()
    }
}

/// A caller who may be signed in: where [`Option<Auth<…>>`](Auth) refuses bad credentials, this
/// ignores them.
///
/// Use it for pages that everyone may see and that greet a user who is signed in; with an expired
/// token the user counts as not signed in. Nothing else is ignored: a caller whom the policy
/// refuses is 403 (or 401, if a more recent authentication is enough), a malformed request is 400,
/// and 503 is the answer if the gate cannot decide.
///
/// # Examples
/// ```
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
/// async fn front_page(Lenient(caller): Lenient<Auth<User>>) -> String {
///     match caller {
///         Some(user) => format!("Good day, {}", user.subject()),
///         None => "Good day".to_owned(),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Lenient<A: IsAuth>(pub Option<A>);

/// The former name of [`Lenient`], which still compiles: as a type, a pattern and a constructor.
#[doc(hidden)]
pub use Lenient as Optional;

/// A caller who is signed in: [`Auth`]. The set is closed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a caller who may be signed in or not",
    label = "expected `Auth<…>`",
    note = "write `Lenient<Auth<User>>`, with a policy where there is one: `Lenient<Auth<User, \
            Admins>>`"
)]
pub trait IsAuth: sealed::Sealed {}

impl<U: JwtClaims, P: PolicyFor<U>> IsAuth for Auth<U, P> {}

mod sealed {
    use super::{Auth, JwtClaims, PolicyFor};

    pub trait Sealed {}

    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for Auth<U, P> {}
}

impl<S, U, P> FromRequestParts<S> for Lenient<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        match Auth::find(parts, Holds::<U>::verifier(state), Taken::Both).await {
            Ok(auth) => Ok(Self(auth)),
            Err(rejection) => match rejection.code() {
                // No valid credentials of this gate were sent. If the policy refuses valid ones,
                // that stands.
                Code::MissingToken | Code::InvalidToken | Code::TokenExpired => Ok(Self(None)),
                _ => Err(rejection),
            },
        }
    }
}

/// Any caller, signed in or not.
///
/// It reads nothing of the request and always succeeds. As the first argument of a handler it says
/// that the route is open to everybody; a [`ProtectedRouter`](crate::ProtectedRouter) requires such
/// an argument in every handler.
#[derive(Clone, Copy, Debug)]
pub struct Public;

impl<S: Send + Sync> FromRequestParts<S> for Public {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}
