//! The address of a store in place of the store.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
fn start(keys: KeyRing) {
    let _ = Accounts.gate().issuer("https://example.com").audience("https://api.example.com").keys(keys).store("sqlite://a.db").build();
}
fn main() {}
