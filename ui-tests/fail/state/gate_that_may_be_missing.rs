//! A gate that may be missing.
use tollgate::prelude::*;
#[derive(GateState)]
struct App<B: tollgate::gate::AuthBackend> { gate: Option<Gate<B>> }

fn main() {}
