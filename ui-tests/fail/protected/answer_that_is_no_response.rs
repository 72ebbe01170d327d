//! A handler that answers a value that is no response.
use tollgate::{JwtClaims, ProtectedRouter, extract::Auth, gate::Verifier, routing::get};

#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) -> u64 { 7 }

fn main() {
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new().route("/me", get(me));
}
