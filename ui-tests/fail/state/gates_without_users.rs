//! Several gates that do not name their users.
use tollgate::{gate::AuthBackend, prelude::*};
#[derive(GateState)]
struct App<A: AuthBackend, B: AuthBackend> { shop: Gate<A>, desk: Gate<B> }

fn main() {}
