//! A handler with an argument that no request holds.
//! axum says that the function is no `Handler` and lists some that are: look for the argument that is no extractor.
//! `#[axum::debug_handler(state = Gate<Accounts>)]` on the handler points at it.
use axum::{Router, routing::get};
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_user: User) {}

fn main() {
    let _: Router = Router::new().route("/me", get(me));
}
