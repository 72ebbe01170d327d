//! A role that nothing checks.
#[derive(tollgate::Policy)]
#[policy(role = "admin")]
struct Admins;

fn main() {}
