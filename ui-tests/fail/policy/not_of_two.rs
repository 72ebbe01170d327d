//! A negation that can be read in two ways.
#[derive(tollgate::Policy)]
#[policy(not(max_age = "5m", all(max_age = "1h")))]
struct Stale;

fn main() {}
