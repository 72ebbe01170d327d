//! A token that is verified by another name.
use tollgate::{gate::AuthBackend, prelude::*};
async fn check<B: AuthBackend>(gate: &Gate<B>, token: &str) -> Result<(), Refusal> {
    gate.validate(token).await.map(drop)
}

fn main() {}
