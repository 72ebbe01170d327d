//! A claim without the word before it.
#[derive(tollgate::Policy)]
#[policy(plan = "pro")]
struct Asked;

fn main() {}
