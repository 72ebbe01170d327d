//! A handler in a router whose state holds no verifier for its users.
//! axum says that the function is no `Handler`: the state is a `Gate` or `Verifier` of the user, or holds one (`FromRef`).
use {axum::{Router, routing::get}, tollgate::prelude::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(JwtClaims)]
struct Robot { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

fn main() {
    let _: Router<Verifier<Robot>> = Router::new().route("/me", get(me));
}
