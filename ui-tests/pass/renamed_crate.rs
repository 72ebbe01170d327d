//! `crate = path` says where tollgate is.
#![deny(warnings)]

mod vendored {
    pub(crate) use ::tollgate as gatekeeper;
}

use vendored::gatekeeper::{ClaimValue, JwtClaims, Policy, auth_backend};

#[derive(Clone, Copy, ClaimValue)]
#[claim_value(crate = crate::vendored::gatekeeper)]
enum Role {
    Admin,
}

#[derive(JwtClaims)]
#[claims(crate = crate::vendored::gatekeeper)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(role = Role::Admin, crate = vendored::gatekeeper)]
struct Admins;

#[auth_backend(username, user = User, refresh(from = stored), crate = vendored::gatekeeper)]
struct Accounts;

impl vendored::gatekeeper::gate::Authenticate for Accounts {
    async fn authenticate(
        &self,
        _: Self::Login,
        _: &vendored::gatekeeper::device::Client,
    ) -> Result<User, vendored::gatekeeper::error::AuthError> {
        Ok(User { id: 1, roles: vec![Role::Admin] })
    }
}

fn guard<P: vendored::gatekeeper::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Admins>();
    let _ = Accounts.gate();
}
