//! Two characters for a claim that is one.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, grade: char }
#[derive(Policy)]
#[policy(user = User, claim(grade = "ab"))]
struct Good;

fn main() {}
