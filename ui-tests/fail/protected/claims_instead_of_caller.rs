//! The claims' own type in the place of `Auth`.
use axum::Json;
use tollgate::{ProtectedRouter, routing::post};

#[derive(serde::Deserialize, tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn rename(_: Json<User>) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/me", post(rename));
}
