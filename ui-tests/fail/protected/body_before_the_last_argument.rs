//! A handler that reads the body before its last argument.
use axum::{Json, http::HeaderMap};
use tollgate::{JwtClaims, ProtectedRouter, extract::Auth, gate::Verifier, routing::post};

#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn rename(_: Auth<User>, _: Json<String>, _: HeaderMap) {}

fn main() {
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new().route("/name", post(rename));
}
