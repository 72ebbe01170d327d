//! A misspelt option of a gate.
use tollgate::prelude::*;
#[derive(GateState)]
struct App<B: tollgate::gate::AuthBackend> { #[gate(usr = User)] gate: Gate<B> }

fn main() {}
