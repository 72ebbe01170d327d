//! A sign-out by another name.
use tollgate::{gate::AuthBackend, prelude::*};
async fn leave<B: AuthBackend>(gate: &Gate<B>) -> Result<(), Refusal> {
    gate.logout().await
}

fn main() {}
