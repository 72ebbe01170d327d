//! Extractors: who is calling, and whether they may. Nothing of a refused request's body is read.

mod external;

pub use external::OneOf;
mod client;
mod only;

pub use only::{BearerOnly, CookieOnly};

pub(crate) use client::address;

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::cookie;
use crate::device::Transport;
use crate::error::{AuthError, Code, Refusal};
use crate::event::{Event, EventKind};
use crate::gate::{AuthBackend, Gate, Refresh, Verifier};
use crate::policy::{Anyone, PolicyFor, Rule, decide};
use crate::reject::Rejection;
use crate::session::{Occasion, Place};
use crate::settings::Settings;
use crate::token::{ClaimSet as _, JwtClaims, TokenInfo, Verified};

/// A caller who is signed in and satisfies the policy `P`.
///
/// As a handler's argument it refuses with 401 who is not signed in, with 403 (or 401, where a
/// fresh authentication would do) whom the policy refuses, and with 503 where nobody could decide.
/// `Option<Auth<U>>` is `None` where no credentials were sent; bad credentials are refused all the
/// same.
#[must_use]
pub struct Auth<U, P = Anyone>
where
    U: JwtClaims,
    P: PolicyFor<U>,
{
    verified: Verified<U::Claims>,
    transport: Transport,
    policy: PhantomData<fn() -> P>,
}

impl<U: JwtClaims, P: PolicyFor<U>> Auth<U, P> {
    /// The caller's claims.
    #[must_use]
    pub fn claims(&self) -> &U::Claims {
        self.verified.claims()
    }

    /// The caller's claims, taken out.
    #[must_use]
    pub fn into_claims(self) -> U::Claims {
        self.verified.into_claims()
    }

    /// Who the caller is.
    #[must_use]
    pub fn subject(&self) -> &U::Subject {
        self.claims().subject()
    }

    /// What the gate itself wrote into the token: `iss`, `exp`, `sid` and the like.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        self.verified.token()
    }

    /// How the token came: in a header, or in a cookie.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Looks for credentials; `None` where there are none. Tells of those that are refused.
    async fn find(parts: &Parts, verifier: &Verifier<U>) -> Result<Option<Self>, Refusal> {
        Self::find_in(parts, verifier, Taken::Both).await
    }

    async fn find_in(
        parts: &Parts,
        verifier: &Verifier<U>,
        taken: Taken,
    ) -> Result<Option<Self>, Refusal> {
        Self::look(parts, verifier, taken)
            .await
            .inspect_err(|refusal| {
                let Some(running) = verifier.running() else {
                    return;
                };
                let engine = &running.engine;
                let event = Event::new(EventKind::AccessRefused(refusal.code())).ip(address(
                    &parts.headers,
                    &parts.extensions,
                    &engine.settings.client,
                ));
                engine.events.emit(&event);
            })
    }

    async fn look(
        parts: &Parts,
        verifier: &Verifier<U>,
        taken: Taken,
    ) -> Result<Option<Self>, Refusal> {
        let Some(running) = verifier.running() else {
            return Self::look_elsewhere(parts, verifier, taken).await;
        };
        let engine = &running.engine;
        let Some((token, transport)) = credential(parts, &engine.settings, taken)? else {
            return Ok(None);
        };
        let consistency = P::CONSISTENCY.unwrap_or(engine.settings.revocation.consistency);
        let place = || place(parts, &engine.settings);
        let verified: Verified<U::Claims> = engine
            .admit_from(token, Occasion::Entry, consistency, Some(place))
            .await?;
        if !matches!(P::RULE, Rule::Anyone) {
            decide(&P::RULE, &verified, engine.clock.now()).or_refuse()?;
        }
        Ok(Some(Self {
            verified,
            transport,
            policy: PhantomData,
        }))
    }
}

impl<S, U, P> FromRequestParts<S> for Auth<U, P>
where
    S: Send + Sync,
    U: JwtClaims,
    P: PolicyFor<U>,
    Verifier<U>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let verifier = Verifier::<U>::from_ref(state);
        match Self::find(parts, &verifier).await {
            Ok(Some(auth)) => Ok(auth),
            Ok(None) => Err(Rejection::new(Code::MissingToken, &verifier.scheme())),
            Err(refusal) => Err(Rejection::new(refusal, &verifier.scheme())),
        }
    }
}

impl<S, U, P> OptionalFromRequestParts<S> for Auth<U, P>
where
    S: Send + Sync,
    U: JwtClaims,
    P: PolicyFor<U>,
    Verifier<U>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let verifier = Verifier::<U>::from_ref(state);
        Self::find(parts, &verifier)
            .await
            .map_err(|refusal| Rejection::new(refusal, &verifier.scheme()))
    }
}

impl<U: JwtClaims, P: PolicyFor<U>> fmt::Debug for Auth<U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(self.claims()).finish()
    }
}

impl<B: AuthBackend> FromRef<Gate<B>> for Verifier<B::User> {
    fn from_ref(gate: &Gate<B>) -> Self {
        gate.verifier()
    }
}

/// A caller who may be nobody: where [`Option<Auth<…>>`](Auth) refuses bad credentials, this takes
/// them for none.
///
/// For pages that anyone may see and that greet whoever is signed in, also with a token that ran
/// out. It decides nothing else: a caller whom the policy refuses is refused (403, or 401 where a
/// fresh authentication would do), and so is a malformed request (400); where nobody could decide
/// it is 503.
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
pub struct Lenient<A: SignedIn>(pub Option<A>);

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
pub trait SignedIn: sealed::Sealed {}

impl<U: JwtClaims, P: PolicyFor<U>> SignedIn for Auth<U, P> {}

mod sealed {
    use super::{Auth, JwtClaims, PolicyFor};

    pub trait Sealed {}

    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for Auth<U, P> {}
}

impl<S, U, P> FromRequestParts<S> for Lenient<Auth<U, P>>
where
    S: Send + Sync,
    U: JwtClaims,
    P: PolicyFor<U>,
    Verifier<U>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let verifier = Verifier::<U>::from_ref(state);
        match Auth::find(parts, &verifier).await {
            Ok(auth) => Ok(Self(auth)),
            Err(refusal) => match refusal.code() {
                // No credentials of ours, whatever was sent. What the policy says of good ones
                // stays.
                Code::MissingToken | Code::InvalidToken | Code::TokenExpired => Ok(Self(None)),
                _ => Err(Rejection::new(refusal, &verifier.scheme())),
            },
        }
    }
}

/// Anyone, signed in or not.
///
/// It takes nothing from the request and always succeeds. As the first argument of a handler it
/// says in the code that the route is open, which a [`ProtectedRouter`](crate::guarded::ProtectedRouter) router
/// asks for.
#[derive(Clone, Copy, Debug)]
pub struct Public;

impl<S: Send + Sync> FromRequestParts<S> for Public {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// The caller as the backend knows them today, loaded through [`Refresh`]. It derefs to the user.
#[must_use]
pub struct Current<B: AuthBackend>(pub B::User);

impl<B: AuthBackend> Deref for Current<B> {
    type Target = B::User;

    fn deref(&self) -> &B::User {
        &self.0
    }
}

impl<B: AuthBackend> fmt::Debug for Current<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl<S, B> FromRequestParts<S> for Current<B>
where
    S: Send + Sync,
    B: Refresh,
    Gate<B>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let gate = Gate::<B>::from_ref(state);
        let scheme = Arc::clone(&gate.running().scheme);
        let refuse = |refusal| Rejection::new(refusal, &scheme);
        let auth = Auth::<B::User>::find(parts, &gate.verifier())
            .await
            .map_err(refuse)?;
        let auth = auth.ok_or_else(|| refuse(Code::MissingToken.into()))?;
        let user = gate
            .backend()
            .refresh(auth.subject(), &gate.client(parts))
            .await;
        user.map(Self).map_err(|error| match error {
            AuthError::Unavailable(source) => refuse(Refusal::unavailable(source)),
            AuthError::More(_) => refuse(Refusal::unavailable(
                "the backend asked for a step, and a request has none",
            )),
            AuthError::Invalid | AuthError::Disabled | AuthError::Gone => {
                refuse(Code::InvalidToken.into())
            }
        })
    }
}

/// The access token of a request, and how it came. One in a header and one in a cookie are two
/// credentials (R104); one in a cookie counts only from where its cookies may be used (R108).
fn credential<'a>(
    parts: &'a Parts,
    settings: &Settings,
    taken: Taken,
) -> Result<Option<(&'a str, Transport)>, Refusal> {
    let header = match taken {
        Taken::Both | Taken::Bearer => {
            bearer(parts, &settings.access.header, &settings.access.schemes)?
        }
        Taken::Cookie => None,
    };
    let cookie = match (taken, &settings.cookies.path) {
        (Taken::Bearer, _) | (_, None) => None,
        (Taken::Both | Taken::Cookie, Some(_)) => cookie::find(&parts.headers, cookie::ACCESS)?,
    };
    match (header, cookie) {
        (Some(_), Some(_)) => Err(Code::InvalidRequest.into()),
        (Some(token), None) => Ok(Some((token, Transport::Bearer))),
        (None, Some(token)) => {
            cookie::check(
                &parts.method,
                &parts.uri,
                &parts.headers,
                &settings.cookies.origins,
            )?;
            Ok(Some((token, Transport::Cookie)))
        }
        (None, None) => Ok(None),
    }
}

/// From where a request comes, as far as a token may be bound to it.
fn place<'a>(parts: &'a Parts, settings: &Settings) -> Place<'a> {
    let device_id = parts
        .headers
        .get(&settings.binding.device_header)
        .and_then(|value| value.to_str().ok());
    Place {
        device_id,
        ip: address(&parts.headers, &parts.extensions, &settings.client),
    }
}

/// Which credentials are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Both,
    Bearer,
    Cookie,
}

/// The token after a known scheme; `None` where no credentials were sent that are meant for this
/// gate.
///
/// Exactly one space separates the two (RFC 9110 section 11.4); what follows is the verifier's to
/// judge.
pub(crate) fn bearer<'a>(
    parts: &'a Parts,
    header: &str,
    schemes: &[String],
) -> Result<Option<&'a str>, Refusal> {
    let mut values = parts.headers.get_all(header).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Code::InvalidRequest.into());
    }
    let value = value.to_str().map_err(|_| Code::InvalidToken)?;
    let end = value.find([' ', '\t']).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    // No token at all where something else separates them.
    let token = rest.strip_prefix(' ').unwrap_or_default();
    let is_ours = schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    Ok(is_ours.then_some(token))
}
