//! What a backend with a mistake has instead of its user and its way to sign in; only beside a
//! compile error.

use crate::device::Client;
use crate::error::AuthError;
use crate::gate::{AuthBackend, SignIn};

/// What expansions hand a compile error to, as the value of `N`: it has no value, so that every type
/// made of it is a mistake that rustc knows of, and says nothing more of.
#[derive(Debug)]
pub struct Mistaken<const N: usize>;

/// A type that nobody knows.
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
