//! A state that is an enum.
#[derive(tollgate::GateState)]
enum App { Ready }

fn main() {}
