//! A user that is less visible than its backend.
//! Make `User` as visible as `Accounts`, or `Accounts` as private as `User`.
use tollgate::{device::Client, error::AuthError, gate::{Authenticate, EmailLogin}};
#[derive(Clone, tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[tollgate::auth_backend(email, user = User, refresh(from = stored))]
pub struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
