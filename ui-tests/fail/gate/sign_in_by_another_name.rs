//! A sign-in by another name.
use tollgate::{gate::AuthBackend, prelude::*};
async fn enter<B: AuthBackend>(gate: &Gate<B>, user: B::User) -> Result<String, Refusal> {
    Ok(gate.login(user).await?.access_token)
}

fn main() {}
