//! Two values of a claim that has one.
//! rustc calls it a failed evaluation, and our sentence stands behind.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: Option<String>, tags: Vec<String> }
#[derive(Policy)]
#[policy(user = User, claim(tags = "a"), claim(tags = "b"), claim(plan = "pro"), all(claim(plan = "team")))]
struct Customers;

fn main() {}
