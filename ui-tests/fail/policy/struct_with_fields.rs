//! A policy that holds something.
#[derive(tollgate::Policy)]
#[policy(max_age = "5m")]
struct Fresh {
    at: u64,
}

fn main() {}
