//! A policy with a parameter.
#[derive(tollgate::Policy)]
#[policy(max_age = "5m")]
struct Fresh<const N: usize>;

fn main() {}
