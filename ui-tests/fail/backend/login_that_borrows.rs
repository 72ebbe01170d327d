//! A login that borrows from the request.
use tollgate::prelude::*;
#[derive(Clone, JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(serde::Deserialize)]
struct Login<'a> { name: &'a str }

#[auth_backend(login = Login<'_>, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: Login<'_>, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
