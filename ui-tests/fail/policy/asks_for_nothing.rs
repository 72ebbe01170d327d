//! A policy without a condition.
#[derive(tollgate::Policy)]
struct Admins;

fn main() {}
