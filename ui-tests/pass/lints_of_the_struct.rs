//! The expansion may do what the struct allows or expects, and name what is deprecated.
#![deny(warnings)]

use tollgate::device::Client;
use tollgate::error::AuthError;
use tollgate::gate::{Authenticate, EmailLogin, Gate};
use tollgate::prelude::Auth;

mod old {
    #[deprecated]
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    pub struct Address;

    #[deprecated]
    #[derive(Clone, tollgate::JwtClaims)]
    pub struct Member {
        #[claim(sub)]
        pub id: u64,
        pub level: u8,
    }

    #[deprecated]
    #[tollgate::auth_backend(email, user = Member, refresh(from = stored))]
    pub struct Members;

    #[allow(deprecated)]
    impl super::Authenticate for Members {
        async fn authenticate(&self, _: super::EmailLogin, _: &super::Client) -> Result<Member, super::AuthError> {
            Err(super::AuthError::Invalid)
        }
    }
}

#[allow(deprecated)]
#[derive(tollgate::JwtClaims)]
pub struct User {
    #[claim(sub)]
    pub id: u64,
    pub address: old::Address,
}

#[derive(tollgate::JwtClaims)]
pub struct Other {
    #[claim(sub)]
    pub id: u64,
    #[expect(deprecated)]
    pub address: old::Address,
}

#[allow(deprecated)]
#[derive(tollgate::Policy)]
#[policy(user = old::Member, claim(level = 1))]
pub struct Beginners;

#[deprecated]
#[derive(tollgate::Policy)]
#[policy(max_age = "5m")]
pub struct Fresh;

#[allow(deprecated)]
#[derive(tollgate::Caller)]
pub struct Known(pub Auth<old::Member>);

#[allow(deprecated)]
#[derive(Clone, tollgate::GateState)]
pub struct App {
    pub gate: Gate<old::Members>,
}

#[allow(deprecated)]
#[tollgate::auth_backend(email, user = old::Member, refresh(from = stored))]
pub struct Accounts;

#[allow(deprecated)]
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<old::Member, AuthError> {
        Err(AuthError::Invalid)
    }
}

fn main() {}
