//! Extractors for routes that take a token from one place alone, even if the gate also takes
//! others.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::super::problem::Rejection;
use super::credential::Taken;
use super::{Auth, Holds};
use crate::policy::PolicyFor;
use crate::token::{JwtClaims, Known};

/// A caller whose token came in a header: as [`Auth`], without cookies.
///
/// For routes that pages of other origins call with a token of their own (CORS), and for those that
/// no browser should reach by itself. A cookie beside the header is ignored; a cookie alone is not
/// a credential.
///
/// # Examples
/// ```
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
/// use tollgate::extract::BearerOnly;
///
/// async fn export(BearerOnly(user): BearerOnly<Auth<User>>) -> String {
///     user.subject().to_string()
/// }
/// # let _ = export;
/// ```
#[derive(Debug)]
pub struct BearerOnly<A: super::IsAuth>(pub A);

/// A caller whose token came in a cookie: as [`Auth`], without headers.
///
/// For pages that are for browsers alone. A header beside the cookie is ignored; a header alone is
/// not a credential.
#[derive(Debug)]
pub struct CookieOnly<A: super::IsAuth>(pub A);

async fn take<U, P, S>(parts: &mut Parts, state: &S, taken: Taken) -> Result<Auth<U, P>, Rejection>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    Auth::demand(parts, Holds::<U>::verifier(state), taken).await
}

impl<S, U, P> FromRequestParts<S> for BearerOnly<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        take(parts, state, Taken::Bearer).await.map(Self)
    }
}

impl<S, U, P> FromRequestParts<S> for CookieOnly<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        take(parts, state, Taken::Cookie).await.map(Self)
    }
}
