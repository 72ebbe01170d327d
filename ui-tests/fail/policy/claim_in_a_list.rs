//! A claim with one of several values.
#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan in [Plan::Pro, Plan::Team]))]
struct Paying;

fn main() {}
