//! A handler that asks one user for the policy of another.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: String }
#[derive(JwtClaims)]
struct Robot { #[claim(sub)] id: u64 }
#[derive(Policy)]
#[policy(user = User, claim(plan = "pro"))]
struct Customers;

async fn report(_robot: Auth<Robot, Customers>) {}

fn main() {}
