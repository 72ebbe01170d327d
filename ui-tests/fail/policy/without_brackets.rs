//! An attribute that says nothing.
#[derive(tollgate::Policy)]
#[policy]
struct Fresh;

fn main() {}
