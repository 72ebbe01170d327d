//! A bound that does not say how much.
#[derive(tollgate::Policy)]
#[policy(consistency = bounded)]
struct Watched;

fn main() {}
