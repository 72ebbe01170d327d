//! An age that does not say of what.
#[derive(tollgate::Policy)]
#[policy(max_age = "300")]
struct Fresh;

fn main() {}
