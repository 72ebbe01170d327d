//! Lints that no expansion may switch off.
#![forbid(unreachable_pub, dead_code, deprecated, non_snake_case, unused, trivial_bounds)]

use tollgate::{ClaimValue, JwtClaims, Policy, auth_backend};

/// Roles.
#[derive(Clone, Copy, ClaimValue)]
pub enum Role {
    /// All.
    Admin,
    /// Some.
    Editor,
}

/// A user.
#[derive(JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
    level: u8,
}

/// Users who may do everything.
#[derive(Policy)]
#[policy(user = User, role = Role::Admin, claim(level = 3))]
pub struct Admins;

/// The backend.
#[auth_backend(guard, user = User, refresh(from = stored))]
pub struct Accounts {
    guards: tollgate::guard::GuardRouter<Partner>,
}

/// Users of others.
#[derive(JwtClaims)]
#[claims(external)]
pub struct Partner {
    #[claim(sub)]
    id: String,
}

impl tollgate::gate::Exchange for Accounts {
    type External = Partner;
    fn guards(&self) -> &tollgate::guard::GuardRouter<Partner> {
        &self.guards
    }
    async fn exchange(
        &self,
        _: &tollgate::token::Verified<PartnerClaims>,
        _: &tollgate::device::Client,
    ) -> Result<User, tollgate::error::AuthError> {
        let roles = vec![Role::Editor];
        Ok(User { id: 7, roles, level: 1 })
    }
}

fn main() {
    let (id, level) = (7, 3);
    let user = User { id, roles: vec![Role::Admin], level };
    let _ = (user, Partner { id: String::new() }.id, Admins);
}
