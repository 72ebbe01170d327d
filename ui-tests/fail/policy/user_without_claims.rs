//! A policy for a type that derives no claims.
struct User { plan: String }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = "pro"))]
struct Customers;

fn main() {}
