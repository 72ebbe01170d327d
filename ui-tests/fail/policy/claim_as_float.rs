//! A claim that is compared with a fraction.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(level = 1.5))]
struct Customers;

fn main() {}
