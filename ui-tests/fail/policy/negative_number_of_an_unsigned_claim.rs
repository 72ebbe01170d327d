//! A number that the claim's type never holds, inside of `not(…)`.
//! rustc calls it a failed evaluation, and our sentence stands behind.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, n: u32 }
#[derive(Policy)]
#[policy(user = User, not(claim(n = -1)))]
struct Counted;

fn main() {}
