//! A value that does not say where it belongs.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = Pro))]
struct Customers;

fn main() {}
