//! A router whose state has no gate.
//! axum says that the function is no `Handler`, although it is: give the router the state, `.with_state(gate)`, or derive `FromRef`.
use tollgate::{extract::Auth, ProtectedRouter, routing::get};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

fn main() {
    let _: ProtectedRouter<()> = ProtectedRouter::new().route("/me", get(me));
}
