//! Every mistake is reported in one run.
use tollgate::{gate::AuthBackend, prelude::*};
#[derive(GateState)]
#[gate(user = User)]
struct App<A: AuthBackend, U: tollgate::token::JwtClaims> {
    one: Gate<A>,
    two: Gate<A>,
    #[gate(user = U)]
    three: Verifier<U>,
    #[gate(skip, user = U)]
    four: Gate<A>,
    five: std::sync::Arc<Option<Gate<A>>>,
}

fn main() {}
