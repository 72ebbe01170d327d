//! A misspelt claim.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(paln = "pro"))]
struct Customers;

fn main() {}
