//! A number that the claim's type never holds.
//! rustc calls it a failed evaluation, and our sentence stands behind.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, level: u8 }
#[derive(Policy)]
#[policy(user = User, claim(level = 300))]
struct High;

fn main() {}
