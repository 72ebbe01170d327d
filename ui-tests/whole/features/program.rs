//! A program that uses what no feature of it turned on.

use tollgate::prelude::*;

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

async fn start(keys: KeyRing) -> Result<Gate<Accounts>, Box<dyn std::error::Error>> {
    let builder = Accounts.gate().issuer("https://a.example").audience("https://b.example");
    let store = MemoryStore::new();
    let gate = builder.keys(keys).store(store).build().await?;
    let _client = Client::unknown();
    Ok(gate)
}

fn main() {
    let _ = start;
}
