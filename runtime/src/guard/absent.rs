//! The items that replace the guards that fetch keys, where the feature `jwks-client` is off.

use super::JwksGuard;
use crate::error::absent::{NeedsJwksClient, Off};
use crate::token::JwtClaims;

macro_rules! absent {
    ($($name:ident($($arg:ty),*)),* $(,)?) => {
        impl<U: JwtClaims> JwksGuard<U> {
            $(
                #[doc(hidden)]
                pub fn $name($(_: $arg),*) -> Self
                where
                    for<'a> Off: NeedsJwksClient,
                {
                    unreachable!("nothing implements the bound")
                }
            )*
        }
    };
}

absent! {
    keycloak(&str, &str),
    entra(&str),
    entra_tenants(),
    cognito(&str, &str),
    auth0(&str),
    okta(&str, &str),
    google(),
    firebase(&str),
    apple(),
    clerk(&str),
    supabase(&str),
    zitadel(&str),
    tollgate(&str),
    oidc(&str),
}
