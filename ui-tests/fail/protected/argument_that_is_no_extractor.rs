//! A handler with an argument that no request holds.
use tollgate::{JwtClaims, ProtectedRouter, extract::Auth, gate::Verifier, routing::get};

#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

struct Config;

async fn me(_: Auth<User>, _: Config) {}

fn main() {
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new().route("/me", get(me));
}
