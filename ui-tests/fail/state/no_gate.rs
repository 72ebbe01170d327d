//! A state without a gate.
#[derive(tollgate::GateState)]
struct App { name: String }

fn main() {}
