//! An `acr` without quotes.
#[derive(tollgate::Policy)]
#[policy(acr = gold)]
struct Strong;

fn main() {}
