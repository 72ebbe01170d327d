//! A type that is no policy, where one is named.
#[derive(tollgate::Policy)]
#[policy(policy = String)]
struct Admins;

#[derive(tollgate::Policy)]
#[policy(max_age = "5m", not(policy = (Admins, tollgate::policy::Anyone)))]
struct Fresh;

fn main() {}
