//! A gate that would issue the tokens of others.
use tollgate::prelude::*;
#[derive(JwtClaims)]
#[claims(external)]
struct Partner { #[claim(sub)] id: u64 }

#[auth_backend(email, user = Partner, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Partner, AuthError> { Err(AuthError::Invalid) }
}

fn build(ring: KeyRing) { let _ = Accounts.gate().issuer("a").audience("b").keys(ring).store(MemoryStore::new()).build(); }
fn main() {}
