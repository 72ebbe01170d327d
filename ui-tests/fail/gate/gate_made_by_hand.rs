//! A gate that is made by a function.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
async fn start() -> Result<Gate<Accounts>, tollgate::error::Error> {
    Gate::new(Accounts).issuer("https://example.com").build().await
}
fn main() {}
