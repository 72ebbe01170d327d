//! The types that take part in a mistake, so that rustc reports it once.

use crate::device::Client;
use crate::error::AuthError;
use crate::gate::{AuthBackend, SignIn};
use crate::token::JwtClaims;

/// The type that stands for a compile error in an expansion. Its value does not exist, so rustc
/// already knows that every type made of it is wrong, and reports no second error.
#[derive(Debug)]
pub struct Mistaken<const N: usize>;

/// A type that is not known.
pub trait Unknown {
    /// The type.
    type Type;
}

impl<const N: usize> Unknown for Mistaken<N> {
    type Type = ();
}

/// Stands for the answer to a condition on a type that is asked once, by [`has_claims`]. Where the type does not fulfil it, the number does not exist, so rustc reports that
/// there, and says nothing more of any place where the type comes to be.
#[derive(Debug)]
pub struct Asked<const ANSWER: usize>;

/// The type that was asked.
pub trait OfType<T> {
    /// The type.
    type Type;
}

impl<T, const ANSWER: usize> OfType<T> for Asked<ANSWER> {
    type Type = T;
}

/// The type `T`, if it has given the answer. Without an answer, the compiler reports one error here
/// and no others that follow from it.
pub type Answered<T, const ANSWER: usize> = <Asked<ANSWER> as OfType<T>>::Type;

/// Returns a number, for a user type alone.
#[must_use]
pub const fn has_claims<U: JwtClaims>() -> usize {
    0
}

/// A way to sign in that asks for no trait.
#[derive(Clone, Copy, Debug)]
pub struct AnyEntry;

#[diagnostic::do_not_recommend]
impl<B: AuthBackend> SignIn<B> for AnyEntry {
    async fn sign_in(_: &B, _: B::Login, _: &Client) -> Result<B::User, AuthError> {
        Err(AuthError::Invalid)
    }
}
