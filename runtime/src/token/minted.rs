//! Tokens that the server issued for the request in hand, and that no client has shown yet.

use super::info::TokenInfo;
use super::verify::Verified;

/// The claims of an access token that this server issued for the request in hand, checked as those
/// of every other token.
///
/// Its client may never get the token: the answer may be lost. So it says nothing about whether a
/// refresh reached its client, and nothing turns it into a [`Verified`], which does: only a token
/// that the client sends is a [`Verified`]. Made by
/// [`Gate::verify_issued`](crate::gate::Gate::verify_issued).
///
/// ```compile_fail,E0308
/// use tollgate::token::{JwtClaims, Minted, Verified};
///
/// fn as_if_the_client_had_it<U: JwtClaims>(minted: Minted<U::Claims>) -> Verified<U::Claims> {
///     minted
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Minted<C>(Verified<C>);

impl<C> Minted<C> {
    pub(crate) const fn new(verified: Verified<C>) -> Self {
        Self(verified)
    }

    /// Returns what the token says of the user.
    #[must_use]
    pub fn claims(&self) -> &C {
        self.0.claims()
    }

    /// Returns what the token says of itself.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        self.0.token()
    }
}
