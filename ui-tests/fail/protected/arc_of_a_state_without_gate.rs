//! A state behind an `Arc` that holds no gate.
use std::sync::Arc;
use tollgate::{JwtClaims, ProtectedRouter, extract::Auth, routing::get};

#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
struct App;

async fn me(_: Auth<User>) {}

fn main() {
    let _: ProtectedRouter<Arc<App>> = ProtectedRouter::new().route("/me", get(me));
}
