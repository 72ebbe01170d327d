//! A store over an embedded key-value engine, written against tollgate's public interface alone,
//! and a gate on it that is stopped and started again.

mod file;
mod store;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::Path;

use store::RedbStore;
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
        let user = (login.email == "ada@example.com").then_some(User { id: 7 });
        user.ok_or(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _client: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (folder, keys) = (tempfile::tempdir()?, KeyRing::generate(Algorithm::EdDSA)?);
    let (path, client) = (folder.path().join("sessions.redb"), Client::unknown());

    let gate = start(&path, &keys).await?;
    let issued = gate.sign_in(User { id: 7 }, &client).await?;
    println!("signed in: session {}", issued.session_id);
    gate.shutdown().await?;
    drop(gate);

    let gate = start(&path, &keys).await?;
    let issued = gate.refresh(issued.refresh_token.expose(), &client).await?;
    println!("refreshed after a restart: session {}", issued.session_id);
    gate.revoke(Revoke::session(issued.session_id)).await?;
    let refused = gate.verify(&issued.access_token).await.err();
    let code = refused.map(|refusal| refusal.code());
    println!("revoked: the token is refused as {code:?}");
    gate.shutdown().await?;
    Ok(())
}

async fn start(
    path: &Path,
    keys: &KeyRing,
) -> Result<Gate<Accounts>, Box<dyn Error + Send + Sync>> {
    let gate = Accounts
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(keys.clone())
        .store(RedbStore::open(path)?)
        .build();
    Ok(gate.await?)
}
