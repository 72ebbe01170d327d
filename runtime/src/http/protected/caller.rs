//! Callers with a name of their own: the functions behind `#[derive(Caller)]`.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::super::extract::{Auth, BearerOnly, CookieOnly, Current, Lenient, OneOf, Public};
use super::{CallerArgument, CallerUser, Security};
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
pub trait IsCaller {
    /// The caller inside: the type of the first field of a struct that derives `Caller`, and any
    /// other type itself. The derive names it here alone, so that rustc reports a wrong one once.
    type Caller: IsCaller;
}

impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Auth<U, P> {
    type Caller = Self;
}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Option<Auth<U, P>> {
    type Caller = Self;
}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for Lenient<Auth<U, P>> {
    type Caller = Self;
}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for BearerOnly<Auth<U, P>> {
    type Caller = Self;
}
impl<U: JwtClaims, P: PolicyFor<U>> IsCaller for CookieOnly<Auth<U, P>> {
    type Caller = Self;
}
impl<A, B> IsCaller for OneOf<A, B> {
    type Caller = Self;
}
impl<B: AuthBackend, P> IsCaller for Current<B, P> {
    type Caller = Self;
}
impl<B: AuthBackend, P> IsCaller for Option<Current<B, P>> {
    type Caller = Self;
}
impl IsCaller for Public {
    type Caller = Self;
}

/// Returns a number, for a caller alone.
#[must_use]
pub const fn is_caller<C: IsCaller>() -> usize {
    0
}

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

/// The caller inside the struct `W`, which the derive need not name again.
pub struct Inside<W: IsCaller>(pub W::Caller);

impl<S, W> FromRequestParts<S> for Inside<W>
where
    S: Send + Sync,
    W: IsCaller<Caller: CallerArgument<S>>,
{
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, CallerRejection> {
        let made = <W::Caller as FromRequestParts<S>>::from_request_parts(parts, state).await;
        match made {
            Ok(caller) => Ok(Self(caller)),
            Err(refused) => Err(CallerRejection(Box::new(refused.into_response()))),
        }
    }
}

impl<S, W> CallerArgument<S> for Inside<W>
where
    S: Send + Sync,
    W: IsCaller<Caller: CallerArgument<S>>,
{
    const SECURITY: Security = <W::Caller as CallerArgument<S>>::SECURITY;
    const CALLERS: &'static [CallerUser] = <W::Caller as CallerArgument<S>>::CALLERS;
}

/// A state, as axum needs it to make a caller.
pub trait State: Send + Sync {}

impl<S: Send + Sync> State for S {}

/// The callers of a handler.
pub type Callers = &'static [CallerUser];

/// Returns whom the caller inside of the struct admits.
#[must_use]
pub const fn security<W: IsCaller, S>() -> Security
where
    Inside<W>: CallerArgument<S>,
{
    <Inside<W> as CallerArgument<S>>::SECURITY
}

/// Returns the users among them.
#[must_use]
pub const fn callers<W: IsCaller, S>() -> Callers
where
    Inside<W>: CallerArgument<S>,
{
    <Inside<W> as CallerArgument<S>>::CALLERS
}

/// Makes the caller inside a struct from a request.
///
/// # Errors
/// The caller is refused.
pub async fn caller<W, S>(parts: &mut Parts, state: &S) -> Result<Inside<W>, CallerRejection>
where
    W: IsCaller,
    Inside<W>: CallerArgument<S>,
    S: Send + Sync,
{
    let made = <Inside<W> as FromRequestParts<S>>::from_request_parts(parts, state).await;
    made.map_err(|refused| CallerRejection(Box::new(refused.into_response())))
}
