//! The conditions on a handler of a protected router, in two steps, so that rustc names the one
//! mistake: first the number of its arguments alone, then each of them. Nothing of it runs.

use std::future::Future;
use std::marker::PhantomData;

use axum::extract::{FromRequest, FromRequestParts};
use axum::handler::Handler;
use axum::response::IntoResponse;

use super::super::extract::{
    Auth, BearerOnly, CookieOnly, Current, Holds, HoldsGate, Lenient, OneOf, Public,
};
use super::{CallerUser, Security};
use crate::gate::Refresh;
use crate::policy::PolicyFor;
use crate::token::{JwtClaims, Known};

/// A function with at most sixteen arguments.
///
/// `T` is the tuple by which axum describes the arguments of a handler.
#[diagnostic::on_unimplemented(
    message = "this is no handler that says who may call it",
    label = "expected a function whose first argument says who may call it",
    note = "write an `async fn` with `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, \
            `OneOf<…>` or `Current<…>` in front, or `_: Public` where everyone may call it; it \
            has at most sixteen arguments"
)]
pub trait Arguments<T>: sealed::Sealed<T> {}

/// A handler with the arguments `T`, for the state `S`, whose first argument declares who may call
/// it. It is implemented for functions alone.
#[diagnostic::on_unimplemented(
    message = "this is no handler that says who may call it",
    label = "the first argument of a protected handler says who may call it",
    note = "write an `async fn` whose first argument is `Auth<…>`, `Option<Auth<…>>`, \
            `Lenient<Auth<…>>`, `OneOf<…>`, `Current<…>`, or `_: Public` where everyone may call it"
)]
pub trait Handles<T, S>: Handler<T, S> + sealed::Sealed<T> {
    #[doc(hidden)]
    const SECURITY: Security;
    #[doc(hidden)]
    const CALLERS: &'static [CallerUser] = &[];
}

/// A type that declares, as the first argument of a handler, who may call it.
///
/// Name a caller of your own with an alias: `type Admin = Auth<User, Admins>;`. The set of types is
/// closed: an implementation by hand has no effect.
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may call it: its first argument is `{Self}`",
    label = "the first argument of a protected handler says who may call it",
    note = "put `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, `OneOf<…>` or `Current<…>` in \
            front, or `_: Public` where everyone may call it"
)]
pub trait CallerArgument<S>: FromRequestParts<S> + Send {
    /// The callers whom it admits.
    const SECURITY: Security;
    #[doc(hidden)]
    const CALLERS: &'static [CallerUser] = &[];
}

/// An argument between the first and the last: it reads the head of a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand before the last argument of a handler",
    label = "only the last argument of a handler may read the body",
    note = "put what reads the body, such as `Json<…>` or `Bytes`, last; any other type must \
            implement `FromRequestParts`"
)]
pub trait ArgumentIn<S>: FromRequestParts<S> + Send {}

#[diagnostic::do_not_recommend]
impl<S, A: FromRequestParts<S> + Send> ArgumentIn<S> for A {}

/// The last argument: it may read the body of a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "this type is not made from a request",
    note = "use an extractor, such as `Json<{Self}>`, or implement `FromRequest` for `{Self}`"
)]
pub trait LastArgument<S, M>: FromRequest<S, M> + Send {}

#[diagnostic::do_not_recommend]
impl<S, M, A: FromRequest<S, M> + Send> LastArgument<S, M> for A {}

/// The future that an asynchronous function returns.
#[diagnostic::on_unimplemented(
    message = "this handler is not asynchronous",
    label = "expected an `async fn`",
    note = "write `async` in front of `fn`, and hold nothing across an `.await` that cannot be \
            sent to another thread"
)]
pub trait Asynchronous: Future + Send {}

#[diagnostic::do_not_recommend]
impl<F: Future + Send> Asynchronous for F {}

/// The answer of a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of a handler",
    label = "this type is no response",
    note = "answer `Json<{Self}>`, a text, a `StatusCode`, or a `Result` of them; or implement \
            `IntoResponse` for `{Self}`"
)]
pub trait Answer: IntoResponse {}

#[diagnostic::do_not_recommend]
impl<A: IntoResponse> Answer for A {}

impl<S, U, P> CallerArgument<S> for Auth<U, P>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    const SECURITY: Security = Security::Required(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::either::<U>()];
}

impl<S, U, P> CallerArgument<S> for Option<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    const SECURITY: Security = Security::Lenient(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::either::<U>()];
}

impl<S, U, P> CallerArgument<S> for Lenient<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    const SECURITY: Security = Security::Lenient(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::either::<U>()];
}

impl<S, U1, P1, U2, P2> CallerArgument<S> for OneOf<Auth<U1, P1>, Auth<U2, P2>>
where
    S: Send + Sync + Holds<Known<U1>> + Holds<Known<U2>>,
    U1: JwtClaims,
    P1: PolicyFor<Known<U1>>,
    U2: JwtClaims,
    P2: PolicyFor<Known<U2>>,
{
    const SECURITY: Security = Security::OneOf(P1::RULE, P2::RULE);
    const CALLERS: &'static [CallerUser] =
        &[CallerUser::either::<U1>(), CallerUser::either::<U2>()];
}

impl<S, U, P> CallerArgument<S> for BearerOnly<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    const SECURITY: Security = Security::Required(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::bearer::<U>()];
}

impl<S, U, P> CallerArgument<S> for CookieOnly<Auth<U, P>>
where
    S: Send + Sync + Holds<Known<U>>,
    U: JwtClaims,
    P: PolicyFor<Known<U>>,
{
    const SECURITY: Security = Security::Required(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::cookie::<U>()];
}

impl<S, B, P> CallerArgument<S> for Current<B, P>
where
    S: Send + Sync + HoldsGate<B>,
    B: Refresh,
    P: PolicyFor<B::User>,
{
    const SECURITY: Security = Security::Required(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::either::<B::User>()];
}

impl<S, B, P> CallerArgument<S> for Option<Current<B, P>>
where
    S: Send + Sync + HoldsGate<B>,
    B: Refresh,
    P: PolicyFor<B::User>,
{
    const SECURITY: Security = Security::Lenient(P::RULE);
    const CALLERS: &'static [CallerUser] = &[CallerUser::either::<B::User>()];
}

impl<S: Send + Sync> CallerArgument<S> for Public {
    const SECURITY: Security = Security::Public;
}

/// A function that has arguments. It is never implemented for a function without them.
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may call it: it has no arguments",
    label = "the first argument of a protected handler says who may call it",
    note = "give it `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, `OneOf<…>` or `Current<…>` \
            as an argument, or `_: Public` where everyone may call it"
)]
pub trait HasArguments {}

/// Stands for the arguments of the function `F`, which has no arguments.
pub struct NoArguments<F>(PhantomData<F>);

/// A function without arguments always lacks [`HasArguments`], so that rustc reports that.
impl<F, Fut, S> Handles<((),), S> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Asynchronous<Output: Answer>,
    S: Send + Sync + 'static,
    NoArguments<F>: HasArguments,
{
    const SECURITY: Security = Security::Public;
}

impl<F, Fut> sealed::Sealed<((),)> for F where F: FnOnce() -> Fut {}

impl<F, Fut> Arguments<((),)> for F where F: FnOnce() -> Fut {}

mod sealed {
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot implement `Handles`: functions alone are protected handlers",
        label = "`{Self}` is not a function",
        note = "write an `async fn` whose first argument says who may call it, and do there what \
                `{Self}` does"
    )]
    pub trait Sealed<T> {}
}

/// Implements the traits for the tuples by which axum describes arguments: a marker comes before
/// the handler's own.
macro_rules! arguments {
    ($($before:ident)*; $last:ident) => {
        impl<F, Fut, M, $($before,)* $last> sealed::Sealed<(M, $($before,)* $last,)> for F
        where
            F: FnOnce($($before,)* $last) -> Fut,
        {
        }

        impl<F, Fut, M, $($before,)* $last> Arguments<(M, $($before,)* $last,)> for F
        where
            F: FnOnce($($before,)* $last) -> Fut,
        {
        }
    };
}

macro_rules! handles {
    ($first:ident $($between:ident)*; $last:ident) => {
        impl<F, Fut, S, M, $first, $($between,)* $last> Handles<(M, $first, $($between,)* $last,), S>
            for F
        where
            F: FnOnce($first, $($between,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Asynchronous<Output: Answer>,
            S: Send + Sync + 'static,
            $first: CallerArgument<S>,
            $($between: ArgumentIn<S>,)*
            $last: LastArgument<S, M>,
        {
            const SECURITY: Security = $first::SECURITY;
            const CALLERS: &'static [CallerUser] = $first::CALLERS;
        }
    };
}

impl<F, Fut, S, M, A1> Handles<(M, A1), S> for F
where
    F: FnOnce(A1) -> Fut + Clone + Send + Sync + 'static,
    Fut: Asynchronous<Output: Answer>,
    S: Send + Sync + 'static,
    A1: CallerArgument<S> + FromRequest<S, M>,
{
    const SECURITY: Security = A1::SECURITY;
    const CALLERS: &'static [CallerUser] = A1::CALLERS;
}

arguments!(; A1);
arguments!(A1; A2);
arguments!(A1 A2; A3);
arguments!(A1 A2 A3; A4);
arguments!(A1 A2 A3 A4; A5);
arguments!(A1 A2 A3 A4 A5; A6);
arguments!(A1 A2 A3 A4 A5 A6; A7);
arguments!(A1 A2 A3 A4 A5 A6 A7; A8);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8; A9);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9; A10);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10; A11);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11; A12);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12; A13);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13; A14);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14; A15);
arguments!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15; A16);

handles!(A1; A2);
handles!(A1 A2; A3);
handles!(A1 A2 A3; A4);
handles!(A1 A2 A3 A4; A5);
handles!(A1 A2 A3 A4 A5; A6);
handles!(A1 A2 A3 A4 A5 A6; A7);
handles!(A1 A2 A3 A4 A5 A6 A7; A8);
handles!(A1 A2 A3 A4 A5 A6 A7 A8; A9);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9; A10);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10; A11);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11; A12);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12; A13);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13; A14);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14; A15);
handles!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15; A16);
