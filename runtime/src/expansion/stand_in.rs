//! The types that replace the user and the login of a backend with a mistake; used only beside a
//! compile error.

use crate::device::Client;
use crate::error::AuthError;
use crate::gate::{AuthBackend, SignIn};

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

/// A way to sign in that asks for no trait.
#[derive(Clone, Copy, Debug)]
pub struct AnyEntry;

#[diagnostic::do_not_recommend]
impl<B: AuthBackend> SignIn<B> for AnyEntry {
    async fn sign_in(_: &B, _: B::Login, _: &Client) -> Result<B::User, AuthError> {
        Err(AuthError::Invalid)
    }
}
