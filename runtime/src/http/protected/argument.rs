//! What the arguments of a handler say about its callers. The compiler reads this; nothing of it
//! runs.

use super::super::extract::{Auth, BearerOnly, CookieOnly, Current, Lenient, OneOf, Public};
use super::Security;
use crate::gate::AuthBackend;
use crate::policy::{PolicyFor, Rule};
use crate::token::JwtClaims;

/// A type that says, as the first argument of a handler, who may call it.
///
/// The set is closed. Give a name to a caller of your own with an alias: `type Admin = Auth<User,
/// Admins>;`.
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may call it: its first argument is `{Self}`",
    label = "the first argument of a protected handler says who may call it",
    note = "put `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, `OneOf<…>` or `Current<…>` in \
            front, or `_: Public` where everyone may call it"
)]
pub trait CallerArgument: sealed::Sealed {
    /// Who may call it.
    const SECURITY: Security;
}

/// A handler with the arguments `T` that says in the first of them who may call it. It has at most
/// sixteen.
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may call it: it has no arguments",
    label = "the first argument of a protected handler says who may call it",
    note = "give it `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`, `OneOf<…>` or `Current<…>` \
            as an argument, or `_: Public` where everyone may call it"
)]
pub trait DeclaresCaller<T> {
    /// The argument that says it.
    type First: CallerArgument;
}

impl<U: JwtClaims, P: PolicyFor<U>> CallerArgument for Auth<U, P> {
    const SECURITY: Security = Security::Required(P::RULE);
}

impl<U: JwtClaims, P: PolicyFor<U>> CallerArgument for Option<Auth<U, P>> {
    const SECURITY: Security = Security::Lenient(P::RULE);
}

impl<U: JwtClaims, P: PolicyFor<U>> CallerArgument for Lenient<Auth<U, P>> {
    const SECURITY: Security = Security::Lenient(P::RULE);
}

impl<U1, P1, U2, P2> CallerArgument for OneOf<Auth<U1, P1>, Auth<U2, P2>>
where
    U1: JwtClaims,
    P1: PolicyFor<U1>,
    U2: JwtClaims,
    P2: PolicyFor<U2>,
{
    const SECURITY: Security = Security::OneOf(P1::RULE, P2::RULE);
}

impl<U: JwtClaims, P: PolicyFor<U>> CallerArgument for BearerOnly<Auth<U, P>> {
    const SECURITY: Security = Security::Required(P::RULE);
}

impl<U: JwtClaims, P: PolicyFor<U>> CallerArgument for CookieOnly<Auth<U, P>> {
    const SECURITY: Security = Security::Required(P::RULE);
}

impl<B: AuthBackend> CallerArgument for Current<B> {
    const SECURITY: Security = Security::Required(Rule::Anyone);
}

impl CallerArgument for Public {
    const SECURITY: Security = Security::Public;
}

mod sealed {
    use super::*;

    pub trait Sealed {}

    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for Auth<U, P> {}
    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for Option<Auth<U, P>> {}
    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for Lenient<Auth<U, P>> {}
    impl<U1: JwtClaims, P1: PolicyFor<U1>, U2: JwtClaims, P2: PolicyFor<U2>> Sealed
        for OneOf<Auth<U1, P1>, Auth<U2, P2>>
    {
    }
    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for BearerOnly<Auth<U, P>> {}
    impl<U: JwtClaims, P: PolicyFor<U>> Sealed for CookieOnly<Auth<U, P>> {}
    impl<B: AuthBackend> Sealed for Current<B> {}
    impl Sealed for Public {}
}

/// The arguments as axum writes them: a marker in front of a handler's own.
macro_rules! arguments {
    ($($rest:ident)*) => {
        impl<H, M, First: CallerArgument, $($rest),*> DeclaresCaller<(M, First, $($rest,)*)> for H {
            type First = First;
        }
    };
}

arguments!();
arguments!(A2);
arguments!(A2 A3);
arguments!(A2 A3 A4);
arguments!(A2 A3 A4 A5);
arguments!(A2 A3 A4 A5 A6);
arguments!(A2 A3 A4 A5 A6 A7);
arguments!(A2 A3 A4 A5 A6 A7 A8);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
