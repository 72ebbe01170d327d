//! An item that is configured out takes its expansion with it, whichever attribute comes first.
#![deny(warnings)]
#![allow(unexpected_cfgs)]

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[tollgate::auth_backend(email, user = User)]
#[cfg(any())]
struct After;

#[cfg(any())]
#[tollgate::auth_backend(email, user = User)]
struct Before;

#[tollgate::auth_backend(email, user = User, refresh(from = stored))]
#[cfg_attr(all(), cfg(any()))]
struct Nested;

#[tollgate::auth_backend(email, user = User, refresh(from = stored))]
#[cfg(all())]
#[derive(Debug)]
struct Here;

#[derive(tollgate::Policy)]
#[cfg_attr(all(), policy(max_age = "5m"))]
#[cfg(all())]
struct Fresh;

impl tollgate::gate::Authenticate for Here {
    async fn authenticate(&self, _: Self::Login, _: &tollgate::device::Client) -> Result<User, tollgate::error::AuthError> {
        Ok(User { id: 1 })
    }
}

fn guard<P: tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Fresh>();
    let _ = Here.gate();
}
