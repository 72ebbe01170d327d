//! A user type in quotes.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String }

#[derive(tollgate::Policy)]
#[policy(user = "User", claim(plan = "pro"))]
struct Customers;

fn main() {}
