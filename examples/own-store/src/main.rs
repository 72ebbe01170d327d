//! A store over an embedded key-value engine, written against tollgate's public interface alone,
//! and a gate on it that is stopped and started again.

mod file;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;

use store::RedbStore;
use tokio::runtime::Runtime;
use tollgate::prelude::*;
use tollgate::store::rows::Cause;

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    /// Refuses everybody: here nobody signs in over HTTP. The quickstart shows how a password is
    /// checked.
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _client: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

fn main() -> Result<(), Cause> {
    let (folder, keys) = (tempfile::tempdir()?, KeyRing::generate(Algorithm::EdDSA)?);
    let path = folder.path().join("sessions.redb");
    // A runtime each, as two processes have that run one after the other.
    let refresh_token = Runtime::new()?.block_on(sign_in(&path, &keys))?;
    Runtime::new()?.block_on(refresh_and_revoke(&path, &keys, &refresh_token))
}

async fn sign_in(path: &Path, keys: &KeyRing) -> Result<String, Cause> {
    let gate = start(path, keys).await?;
    let issued = gate.sign_in(User { id: 7 }, &Client::unknown()).await?;
    println!("signed in: session {}", issued.session_id);
    gate.shutdown().await?;
    Ok(issued.refresh_token.expose().to_owned())
}

async fn refresh_and_revoke(path: &Path, keys: &KeyRing, token: &str) -> Result<(), Cause> {
    let gate = start(path, keys).await?;
    let issued = gate.refresh(token, &Client::unknown()).await?;
    println!("refreshed after a restart: session {}", issued.session_id);
    gate.revoke(Revoke::session(issued.session_id)).await?;
    let refused = gate.verify(&issued.access_token).await.err();
    let code = refused.map(|refusal| refusal.code());
    println!("revoked: the token is refused as {code:?}");
    Ok(gate.shutdown().await?)
}

async fn start(path: &Path, keys: &KeyRing) -> Result<Gate<Accounts>, Cause> {
    let gate = Accounts
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(keys.clone())
        .store(RedbStore::open(path)?)
        .build();
    Ok(gate.await?)
}
