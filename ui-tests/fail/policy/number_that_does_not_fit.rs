//! A number that the claim's type never holds.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, level: u8, seats: Option<u32> }
#[derive(Policy)]
#[policy(user = User, claim(level = 300))]
struct High;
#[derive(Policy)]
#[policy(user = User, not(claim(seats = -1)))]
struct Seated;

fn main() {}
