//! A store of one's own, written against tollgate's public interface alone, and a gate on it.

mod store;

use std::error::Error;

use store::OwnStore;
use tollgate::prelude::*;

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        if login.email == "ada@example.com" {
            Ok(User { id: 7 })
        } else {
            Err(AuthError::Invalid)
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _client: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let gate = Accounts
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(OwnStore::new())
        .build()
        .await?;

    let issued = gate.sign_in(User { id: 7 }, &Client::unknown()).await?;
    println!("signed in: session {}", issued.session_id);
    let issued = gate
        .refresh(issued.refresh_token.expose(), &Client::unknown())
        .await?;
    let verified = gate.verify(&issued.access_token).await?;
    println!("refreshed: the token says user {}", verified.claims().id());
    gate.revoke(Revoke::session(issued.session_id)).await?;
    let refused = gate
        .verify(&issued.access_token)
        .await
        .err()
        .map(|refusal| refusal.code());
    println!("revoked: the token is refused as {refused:?}");
    gate.shutdown().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tollgate::store::conformance;

    use super::OwnStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_store_keeps_the_contract() {
        let report = conformance::run(|| async { OwnStore::new() }).await;
        let clauses = report.verdict().expect("all clauses hold");
        assert_eq!(clauses, conformance::CLAUSES.len());
        println!("{clauses} clauses hold");
    }
}
