//! A policy for a type that derives no claims.
//! The second message says why there is no such claim.
struct User { plan: String }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = "pro"))]
struct Customers;

fn main() {}
