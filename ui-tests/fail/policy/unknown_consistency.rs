//! A misspelt consistency.
#[derive(tollgate::Policy)]
#[policy(consistency = strikt)]
struct Watched;

fn main() {}
