//! A backend that does not say who may stay signed in.
use tollgate::{device::Client, error::AuthError, gate::{Authenticate, EmailLogin}};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[tollgate::auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
