//! A login that is less visible than its backend.
//! Make `Login` as visible as `Accounts`, or `Accounts` as private as `Login`.
use tollgate::{device::Client, error::AuthError, gate::Authenticate};
#[derive(Clone, tollgate::JwtClaims)]
pub struct User { #[claim(sub)] id: u64 }
#[derive(serde::Deserialize)]
struct Login { _code: u64 }
#[tollgate::auth_backend(login = Login, user = User, refresh(from = stored))]
pub struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: Login, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
