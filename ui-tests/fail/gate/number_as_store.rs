//! A number in place of a store.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
fn start(keys: KeyRing) {
    let _ = Accounts.gate().issuer("https://example.com").audience("https://api.example.com").keys(keys).store(42).build();
}
fn main() {}
