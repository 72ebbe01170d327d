//! Two claims in one condition.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String, level: u32 }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = "pro", level = 3))]
struct Customers;

fn main() {}
