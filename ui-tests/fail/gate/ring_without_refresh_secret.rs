//! A ring from a PEM text that has no secret for refresh tokens.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
fn start(pem: &[u8]) -> Result<(), tollgate::error::Error> {
    let _ = Accounts.gate().keys(KeyRing::from_pem(Algorithm::ES256, pem)?);
    Ok(())
}
fn main() {}
