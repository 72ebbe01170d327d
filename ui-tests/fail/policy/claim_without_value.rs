//! A claim that may be anything.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan))]
struct Customers;

fn main() {}
