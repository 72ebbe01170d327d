//! A mistake in an option is reported once, however often the backend is used.
use tollgate::{JwtClaims, auth_backend, device::Client, error::AuthError, gate::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(emial, user = User, refresh(form = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> { Err(AuthError::Gone) }
}
fn main() {
    let _ = Accounts.gate();
}
