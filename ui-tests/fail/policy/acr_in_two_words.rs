//! An `acr` that a challenge would read as two.
#[derive(tollgate::Policy)]
#[policy(acr = "gold silver")]
struct Strong;

fn main() {}
