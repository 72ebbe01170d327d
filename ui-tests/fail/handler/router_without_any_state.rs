//! A router that no gate was given to, and that does not say so in its type.
//! axum takes the missing state for `()` and says that the function is no `Handler`: write `.with_state(gate)` last.
use {axum::{Router, routing::get}, tollgate::prelude::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

async fn serve(listener: tokio::net::TcpListener) {
    let app = Router::new().route("/me", get(me));
    let _ = axum::serve(listener, app).await;
}

fn main() {}
