//! A backend that does not say how users sign in.
use tollgate::{device::Client, error::AuthError, gate::Refresh};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[tollgate::auth_backend(email, user = User)]
struct Accounts;

impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> { Err(AuthError::Gone) }
}

fn main() {}
