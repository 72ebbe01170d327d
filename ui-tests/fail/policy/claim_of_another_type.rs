//! A number that is compared with a string.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(level = "3"))]
struct Customers;

fn main() {}
