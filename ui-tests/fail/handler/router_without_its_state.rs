//! A router that no gate was given to.
//! axum serves a `Router<()>`: the type in the message says which state is missing. Write `.with_state(gate)` last.
use {axum::{Router, routing::get}, tollgate::prelude::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

async fn serve(listener: tokio::net::TcpListener) {
    let app: Router<Verifier<User>> = Router::new().route("/me", get(me));
    let _ = axum::serve(listener, app).await;
}

fn main() {}
