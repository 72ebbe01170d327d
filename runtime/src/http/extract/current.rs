//! The caller as the backend knows them today.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::super::problem::Rejection;
use super::credential::{Taken, report_refused};
use super::{Auth, HoldsGate};
use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::gate::{AuthBackend, Gate, Refresh};
use crate::policy::{Anyone, Facts, Policy, PolicyFor, Rule, Value, claim_holds, decide};
use crate::settings::Consistency;
use crate::token::{ClaimSet, JwtClaims, TokenInfo};

/// The caller as the backend knows them today, loaded through [`Refresh`]. It derefs to the user.
///
/// The policy `P` is applied to the claims of today, and to the time and the way in which the
/// caller authenticated, as the token has them: a role that was taken away a moment ago is not
/// counted, and one that was given is. `Option<Current<B, P>>` is `None` if no credentials were
/// sent.
///
/// # Examples
/// ```
/// # use tollgate::prelude::*;
/// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Admin }
/// # #[derive(Clone, JwtClaims)]
/// # struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role>, #[claim(skip)] credit: u32 }
/// # #[auth_backend(email, user = User)] struct Accounts;
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
/// #[derive(Policy)]
/// #[policy(role = Role::Admin)]
/// struct Admins;
///
/// async fn credit(Current(user): Current<Accounts, Admins>) -> String {
///     user.credit.to_string()
/// }
/// # let _ = credit;
/// ```
#[must_use]
pub struct Current<B: AuthBackend, P = Anyone>(pub <B as Loads<P>>::Loaded);

/// The user that a backend loads for a caller who is checked by the policy `P`: always the
/// backend's user.
#[doc(hidden)]
pub trait Loads<P>: AuthBackend {
    type Loaded;
}

impl<B: AuthBackend, P> Loads<P> for B {
    type Loaded = B::User;
}

impl<B: AuthBackend, P> Deref for Current<B, P> {
    type Target = B::User;

    fn deref(&self) -> &B::User {
        &self.0
    }
}

impl<B: AuthBackend, P> fmt::Debug for Current<B, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl<S, B, P> FromRequestParts<S> for Current<B, P>
where
    S: Send + Sync + HoldsGate<B>,
    B: Refresh,
    P: PolicyFor<B::User>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let gate = HoldsGate::<B>::gate(state);
        let caller = Auth::demand(parts, gate.verifier(), Taken::Both).await?;
        load::<B, P>(parts, &gate, &caller).await
    }
}

impl<S, B, P> OptionalFromRequestParts<S> for Current<B, P>
where
    S: Send + Sync + HoldsGate<B>,
    B: Refresh,
    P: PolicyFor<B::User>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let gate = HoldsGate::<B>::gate(state);
        let Some(caller) = Auth::find(parts, gate.verifier(), Taken::Both).await? else {
            return Ok(None);
        };
        load::<B, P>(parts, &gate, &caller).await.map(Some)
    }
}

/// Loads the caller, and applies the policy to the claims that were loaded.
async fn load<B, P>(
    parts: &Parts,
    gate: &Gate<B>,
    caller: &Auth<B::User, AsConsistent<P>>,
) -> Result<Current<B, P>, Rejection>
where
    B: Refresh,
    P: PolicyFor<B::User>,
{
    let refuse = |refusal| gate.reject(refusal);
    let loaded = gate
        .backend()
        .refresh(caller.subject(), &gate.client(parts))
        .await;
    let user = loaded.map_err(|error| refuse(error.into_refusal(Code::InvalidToken)))?;
    if user.subject().to_string() != caller.token().subject() {
        return Err(refuse(gate.other_subject(caller.token().subject())));
    }
    if !matches!(P::RULE, Rule::Anyone) {
        let today = Today {
            claims: user.to_claims(),
            token: caller.token(),
        };
        let now = gate.running().admission().now();
        decide(&P::RULE, &today, now)
            .or_refuse()
            .inspect_err(|refusal: &Refusal| report_refused(gate.running(), parts, refusal))
            .map_err(refuse)?;
    }
    Ok(Current(user))
}

/// The policy for the token of a caller who is loaded: it accepts everyone, with the consistency of
/// `P`.
struct AsConsistent<P>(PhantomData<fn() -> P>);

impl<P: Policy> Policy for AsConsistent<P> {}

impl<U: JwtClaims, P: PolicyFor<U>> PolicyFor<U> for AsConsistent<P> {
    const RULE: Rule = Rule::Anyone;
    const CONSISTENCY: Option<Consistency> = P::CONSISTENCY;
    const AT_LEAST: Consistency = P::AT_LEAST;
}

/// The claims of today, and the authentication of the token.
struct Today<'a, C> {
    claims: C,
    token: &'a TokenInfo,
}

impl<C: ClaimSet> Facts for Today<'_, C> {
    fn has_role(&self, role: &str) -> bool {
        self.claims.has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.claims.has_scope(scope)
    }

    fn has_claim(&self, name: &str, value: &Value) -> Option<bool> {
        claim_holds(&self.claims, name, value)
    }

    fn auth_time(&self) -> Option<Timestamp> {
        self.token.auth_time()
    }

    fn acr(&self) -> Option<&str> {
        self.token.acr()
    }
}
