//! A consistency in quotes.
#[derive(tollgate::Policy)]
#[policy(consistency = "strict")]
struct Watched;

fn main() {}
