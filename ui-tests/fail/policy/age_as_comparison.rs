//! The age of a sign-in, written as a comparison.
#[derive(tollgate::Policy)]
#[policy(max_age <= "5m")]
struct Fresh;

fn main() {}
