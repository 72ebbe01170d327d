//! A router whose state has no gate.
//! Give the router the gate, `.with_state(gate)`, or a state that derives `GateState`.
use tollgate::{extract::Auth, ProtectedRouter, routing::get};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_: Auth<User>) {}

fn main() {
    let _: ProtectedRouter<()> = ProtectedRouter::new().route("/me", get(me));
}
