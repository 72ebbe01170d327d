//! Callers with tokens of other issuers, alone and beside the gate's own.

use std::fmt;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::super::problem::Rejection;
use super::credential::{Taken, credential, in_header};
use super::handed::{CallerToken, HandedCaller};
use super::undecided::Undecided;
use super::{Auth, Found, Holds, refuse, subprotocol};
use crate::device::Transport;
use crate::error::{Code, Malformed, Refusal};
use crate::gate::{BEARER, Verifier};
use crate::policy::{PolicyFor, Rule, decide};
use crate::token::{JwtClaims, Known, Origin};

impl<U: JwtClaims, P: PolicyFor<U>> Auth<U, P> {
    /// Verifies a token of another issuer. It comes as RFC 6750 has it, whatever the gate's own
    /// settings are.
    pub(super) async fn authenticate_elsewhere(
        parts: &Parts,
        verifier: &Verifier<U>,
        taken: Taken,
    ) -> Result<Option<Found<U>>, Refusal> {
        // Only the gate's own tokens come in cookies.
        if taken == Taken::Cookie {
            return Ok(None);
        }
        let Some((token, _)) = in_header(parts, AUTHORIZATION, &[BEARER.to_owned()])? else {
            return Ok(None);
        };
        let verified = verifier.verify(token).await?;
        if !matches!(P::RULE, Rule::Anyone) {
            decide(&P::RULE, &verified, verifier.now()).or_refuse()?;
        }
        Ok(Some((CallerToken::Sent(verified), Transport::Bearer)))
    }
}

/// A caller with a token of the one kind or of the other: `OneOf<Auth<User>, Auth<Partner>>`.
///
/// The token's `iss` and `rlm` (the realm) decide, byte for byte, which one it is; only that
/// verifier judges the token, and if it refuses, the other is not asked. A token in a cookie is for
/// the gate of that cookie; if the cookies of both gates are there, the first gate judges. The
/// state has both verifiers. If both are for one issuer and realm, the request cannot be decided
/// (503): [`GuardRouterBuilder::beside`] finds that out when the program starts.
///
/// ```
/// use axum::extract::FromRef;
/// use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
/// # #[auth_backend(email, user = User, refresh(from = stored))] struct Accounts;
/// # impl Authenticate for Accounts {
/// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
/// #         Err(AuthError::Invalid)
/// #     }
/// # }
/// # #[derive(Clone, JwtClaims)] #[claims(external)] struct Partner { #[claim(sub)] id: String }
///
/// #[derive(Clone)]
/// struct App {
///     gate: Gate<Accounts>,
///     partners: Verifier<Partner>,
/// }
///
/// impl FromRef<App> for Verifier<User> {
///     fn from_ref(app: &App) -> Self {
///         app.gate.verifier()
///     }
/// }
///
/// impl FromRef<App> for Verifier<Partner> {
///     fn from_ref(app: &App) -> Self {
///         app.partners.clone()
///     }
/// }
///
/// async fn orders(caller: OneOf<Auth<User>, Auth<Partner>>) -> String {
///     match caller {
///         OneOf::First(user) => format!("your orders, {}", user.subject()),
///         OneOf::Second(partner) => format!("orders through {}", partner.token().issuer()),
///     }
/// }
/// # let _: axum::Router<App> = axum::Router::new().route("/orders", axum::routing::get(orders));
/// ```
///
/// [`GuardRouterBuilder::beside`]: crate::guard::GuardRouterBuilder::beside
#[must_use]
pub enum OneOf<A, B> {
    /// The first verifier's issuer issued the token.
    First(A),
    /// The second verifier's issuer issued the token.
    Second(B),
}

impl<U1, P1, U2, P2> OneOf<Auth<U1, P1>, Auth<U2, P2>>
where
    U1: JwtClaims,
    P1: PolicyFor<U1>,
    U2: JwtClaims,
    P2: PolicyFor<U2>,
{
    async fn find(
        parts: &mut Parts,
        first: Verifier<U1>,
        second: Verifier<U2>,
    ) -> Result<Option<Self>, Rejection> {
        let taken = Taken::Both;
        match choose(parts, &first, &second) {
            Ok(Choice::First) => Ok(Auth::find(parts, first, taken).await?.map(Self::First)),
            Ok(Choice::Second) => Ok(Auth::find(parts, second, taken).await?.map(Self::Second)),
            Err(refusal) => Err(refuse(refusal, parts, &first.scheme())),
        }
    }
}

/// The verifier that judges a request's credentials.
#[derive(Clone, Copy)]
enum Choice {
    First,
    Second,
}

/// Chooses the verifier. Each is asked for the token in its own header and scheme, and for its own
/// cookie.
fn choose<U1: JwtClaims, U2: JwtClaims>(
    parts: &Parts,
    first: &Verifier<U1>,
    second: &Verifier<U2>,
) -> Result<Choice, Refusal> {
    let in_headers = (header_token(parts, first)?, header_token(parts, second)?);
    // Beside a protocol with a token the cookies are ignored.
    let in_cookies = match subprotocol::token(&parts.headers, &parts.extensions)? {
        Some(_) => (false, false),
        None => (has_cookie(parts, first)?, has_cookie(parts, second)?),
    };
    let token = match in_headers {
        // Two headers, or a header and a cookie, are two credentials (R104), whether or not one
        // issuer issued both.
        (Some(one), Some(other)) if !std::ptr::eq(one, other) => {
            return Err(Malformed::TwoCredentials.into());
        }
        (Some(_), _) | (_, Some(_)) if in_cookies != (false, false) => {
            return Err(Malformed::TwoCredentials.into());
        }
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => {
            return Ok(match in_cookies {
                (false, true) => Choice::Second,
                _ => gate_of(first, second),
            });
        }
    };
    // A text that is not a readable token is judged by the verifier of its header or cookie, if
    // possible that of a gate.
    let Some(origin) = Origin::claimed(token, first.limits().wider(second.limits())) else {
        return Ok(match in_headers {
            (Some(_), None) => Choice::First,
            (None, Some(_)) => Choice::Second,
            _ => gate_of(first, second),
        });
    };
    match (first.is_for(&origin), second.is_for(&origin)) {
        (true, false) => Ok(Choice::First),
        (false, true) => Ok(Choice::Second),
        (true, true) => Err(Refusal::unavailable(
            "two verifiers of one route are for the same issuer and realm",
        )),
        (false, false) => Err(Code::InvalidToken.into()),
    }
}

/// Returns the first verifier that belongs to a gate, or otherwise the first one.
fn gate_of<U1: JwtClaims, U2: JwtClaims>(first: &Verifier<U1>, second: &Verifier<U2>) -> Choice {
    if first.running().is_none() && second.running().is_some() {
        Choice::Second
    } else {
        Choice::First
    }
}

/// Returns the token in the header that a verifier reads.
fn header_token<'a, U: JwtClaims>(
    parts: &'a Parts,
    verifier: &Verifier<U>,
) -> Result<Option<&'a str>, Refusal> {
    let found = match verifier.running().map(|gate| &gate.settings().access) {
        Some(access) => in_header(parts, &access.header, &access.schemes)?,
        None => in_header(parts, AUTHORIZATION, &[BEARER.to_owned()])?,
    };
    Ok(found.map(|(token, _)| token))
}

/// Returns whether the access cookie of a verifier's gate is there, good or bad.
fn has_cookie<U: JwtClaims>(parts: &Parts, verifier: &Verifier<U>) -> Result<bool, Refusal> {
    let Some(gate) = verifier.running() else {
        return Ok(false);
    };
    if HandedCaller::of(parts, gate).is_some() || Undecided::of(parts, gate).is_some() {
        return Ok(true);
    }
    match credential(parts, gate, Taken::Cookie) {
        Ok(found) => Ok(found.is_some()),
        Err(refusal) if refusal.code() == Code::InvalidRequest => Err(refusal),
        // The cookie is invalid: the gate judges the request, and refuses it.
        Err(_) => Ok(true),
    }
}

impl<S, U1, P1, U2, P2> FromRequestParts<S> for OneOf<Auth<U1, P1>, Auth<U2, P2>>
where
    S: Send + Sync + Holds<Known<U1>> + Holds<Known<U2>>,
    U1: JwtClaims,
    P1: PolicyFor<Known<U1>>,
    U2: JwtClaims,
    P2: PolicyFor<Known<U2>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let (first, second) = (Holds::<U1>::verifier(state), Holds::<U2>::verifier(state));
        let scheme = first.scheme();
        let found = Self::find(parts, first, second).await?;
        let missing = || refuse(Code::MissingToken.into(), parts, &scheme);
        // A visitor may sign in at either gate.
        found.ok_or_else(|| missing().for_any_pages())
    }
}

impl<S, U1, P1, U2, P2> OptionalFromRequestParts<S> for OneOf<Auth<U1, P1>, Auth<U2, P2>>
where
    S: Send + Sync + Holds<Known<U1>> + Holds<Known<U2>>,
    U1: JwtClaims,
    P1: PolicyFor<Known<U1>>,
    U2: JwtClaims,
    P2: PolicyFor<Known<U2>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let (first, second) = (Holds::<U1>::verifier(state), Holds::<U2>::verifier(state));
        Self::find(parts, first, second).await
    }
}

impl<A: fmt::Debug, B: fmt::Debug> fmt::Debug for OneOf<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(caller) => f.debug_tuple("First").field(caller).finish(),
            Self::Second(caller) => f.debug_tuple("Second").field(caller).finish(),
        }
    }
}

const AUTHORIZATION: &str = "authorization";
