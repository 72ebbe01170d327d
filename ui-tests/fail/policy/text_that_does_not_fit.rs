//! Two characters for a claim that is one.
//! rustc calls it a failed evaluation, and our sentence stands behind.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, grade: char }
#[derive(Policy)]
#[policy(user = User, claim(grade = "ab"))]
struct Good;

fn main() {}
