//! A consistency where a condition belongs.
#[derive(tollgate::Policy)]
#[policy(any(max_age = "5m", consistency = strict))]
struct Watched;

fn main() {}
