//! An age that nobody has.
#[derive(tollgate::Policy)]
#[policy(max_age = "0s")]
struct Fresh;

fn main() {}
