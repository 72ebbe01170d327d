//! An age without quotes.
#[derive(tollgate::Policy)]
#[policy(max_age = 5m)]
struct Fresh;

fn main() {}
