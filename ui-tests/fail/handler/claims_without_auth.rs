//! A handler that asks for claims without a check.
//! axum says that the function is no `Handler`: claims come out of `Auth<User>`, which verifies them.
use axum::{Router, routing::get};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_user: UserClaims) {}

fn main() {
    let _: Router = Router::new().route("/me", get(me));
}
