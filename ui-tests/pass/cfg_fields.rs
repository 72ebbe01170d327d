//! Fields and variants that are configured out are not there.
#![deny(warnings)]

use tollgate::token::ClaimSet as _;
use tollgate::{ClaimValue, JwtClaims, auth_backend};

#[derive(Clone, Copy, ClaimValue)]
enum Role {
    Admin,
    #[cfg(any())]
    Gone(Missing),
}

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[cfg(any())]
    gone: Missing,
    #[cfg(all())]
    here: u8,
    #[cfg_attr(all(), claim(rename = "two"))]
    twice: u8,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts {
    #[cfg(any())]
    gone: Missing,
    #[cfg(all())]
    here: u8,
}

impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(&self, _: Self::Login, _: &tollgate::device::Client) -> Result<User, tollgate::error::AuthError> {
        Ok(User { id: 1, here: self.here, twice: 2, roles: vec![Role::Admin] })
    }
}

fn main() {
    assert_eq!((UserClaims::place("here"), UserClaims::place("two"), UserClaims::place("gone")), (Some(0), Some(1), None));
    let _ = Accounts { here: 1 }.gate();
}
