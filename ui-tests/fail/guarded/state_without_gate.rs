//! A router whose state has no gate: axum's own sentence, for the handler itself is right.
use tollgate::{extract::Auth, guarded::Guarded, routing::get};

#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

fn main() {
    let _: Guarded<()> = Guarded::new().route("/me", get(me));
}
