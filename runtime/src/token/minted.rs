//! Tokens that the server issued for the request in hand, and that no client has presented yet.

use super::info::TokenInfo;
use super::verify::Verified;

/// The claims of an access token that this server issued for the request in hand, checked as those
/// of every other token.
///
/// Its client may never get the token: the answer may be lost. So it does not prove that a refresh
/// reached its client, as a [`Verified`] does, and cannot be turned into one: only a token that the
/// client sends is a [`Verified`]. Made by
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

    /// Returns the claims about the user.
    #[must_use]
    pub fn claims(&self) -> &C {
        self.0.claims()
    }

    /// Returns what the token says of the user, taken out.
    #[cfg(feature = "cookies")]
    pub(crate) fn into_claims(self) -> C
    where
        C: Clone,
    {
        self.0.into_claims()
    }

    /// Returns the description of the token.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        self.0.token()
    }
}
