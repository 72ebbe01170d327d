//! A claim that is compared as a number.
#[derive(tollgate::Policy)]
#[policy(user = User, claim(level >= 3))]
struct Seniors;

fn main() {}
