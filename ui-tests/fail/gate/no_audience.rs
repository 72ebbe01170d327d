//! A gate that does not say for whom its tokens are.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
fn start(keys: KeyRing) {
    let _ = Accounts.gate().issuer("https://example.com").keys(keys).store(MemoryStore::new()).build();
}
fn main() {}
