//! Callers with a name of their own: the functions behind `#[derive(Caller)]`.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::super::extract::{Auth, BearerOnly, CookieOnly, Current, Lenient, OneOf, Public};
use super::CallerArgument;
use crate::gate::AuthBackend;
use crate::policy::PolicyFor;
use crate::token::JwtClaims;

/// A type that declares who may call a handler, for every state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may call a handler",
    label = "the first field of a caller says who may call",
    note = "put `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, `OneOf<…>`, `Current<…>` or \
            `Public` there, or another struct that derives `Caller`"
)]
pub trait IsCaller {}

impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Auth<U, P> {}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Option<Auth<U, P>> {}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Lenient<Auth<U, P>> {}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for BearerOnly<Auth<U, P>> {}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for CookieOnly<Auth<U, P>> {}
impl<A, B> IsCaller for OneOf<A, B> {}
impl<B: AuthBackend, P> IsCaller for Current<B, P> {}
impl<B: AuthBackend, P> IsCaller for Option<Current<B, P>> {}
impl IsCaller for Public {}

/// The answer to a request whose caller was refused.
pub struct CallerRejection(Box<Response>);

impl IntoResponse for CallerRejection {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl fmt::Debug for CallerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallerRejection")
            .field(&self.0.status())
            .finish()
    }
}

/// Makes the caller inside a struct from a request.
///
/// # Errors
/// The caller is refused.
pub async fn caller<C, S>(parts: &mut Parts, state: &S) -> Result<C, CallerRejection>
where
    C: CallerArgument<S>,
    S: Send + Sync,
{
    let made = <C as FromRequestParts<S>>::from_request_parts(parts, state).await;
    made.map_err(|refused| CallerRejection(Box::new(refused.into_response())))
}
