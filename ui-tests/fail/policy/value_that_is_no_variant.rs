//! A misspelt value of a claim.
//! The message is rustc's own: it suggests the variant that is near.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Plan { Free, Pro }
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: Plan }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = Plan::Por))]
struct Customers;

fn main() {}
