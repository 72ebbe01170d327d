//! A choice among nothing.
#[derive(tollgate::Policy)]
#[policy(any())]
struct Nobody;

fn main() {}
