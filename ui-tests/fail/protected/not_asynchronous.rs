//! A handler that is no `async fn`.
use tollgate::{JwtClaims, ProtectedRouter, extract::Auth, gate::Verifier, routing::get};

#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

fn me(_: Auth<User>) -> &'static str { "me" }

fn main() {
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new().route("/me", get(me));
}
