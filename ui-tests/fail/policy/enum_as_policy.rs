//! An enum instead of a struct.
#[derive(tollgate::Policy)]
#[policy(max_age = "5m")]
enum Fresh {}

fn main() {}
