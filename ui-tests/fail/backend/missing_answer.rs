//! A backend that does not say what it adds to its answers.
use tollgate::{device::Client, error::AuthError, gate::*};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[derive(serde::Serialize, serde::Deserialize)]
struct Welcome { name: String }
#[tollgate::auth_backend(email, user = User, refresh(from = stored), answer = Welcome)]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
