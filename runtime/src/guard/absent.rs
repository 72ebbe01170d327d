//! What stands for the guards that fetch keys, where the feature `jwks-client` is off.

use super::JwksGuard;
use crate::error::absent::{NeedsJwksClient, Off};
use crate::token::JwtClaims;

impl<U: JwtClaims> JwksGuard<U> {
    #[doc(hidden)]
    pub fn auth0(_: &str) -> Self
    where
        for<'a> Off: NeedsJwksClient,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn firebase(_: &str) -> Self
    where
        for<'a> Off: NeedsJwksClient,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn oidc(_: &str) -> Self
    where
        for<'a> Off: NeedsJwksClient,
    {
        unreachable!("nothing implements the bound")
    }
}
