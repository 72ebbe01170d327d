//! A misspelt option.
#[derive(tollgate::Policy)]
#[policy(max_aeg = "5m")]
struct Fresh;

fn main() {}
