//! A handler that reads something before it asks who is calling.
use axum::extract::Path;
use tollgate::{extract::Auth, gate::Verifier, ProtectedRouter, routing::delete};

#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn remove(_: Path<u64>, _: Auth<User>) {}

fn main() {
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new().route("/notes/{id}", delete(remove));
}
