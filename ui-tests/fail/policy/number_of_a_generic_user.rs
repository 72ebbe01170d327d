//! A number that the claim's type never holds, of a user with a parameter.
//! rustc calls it a failed evaluation, and our sentence stands behind.
use tollgate::{JwtClaims, Policy};
#[derive(JwtClaims)]
struct User<T: serde::Serialize + serde::de::DeserializeOwned + Clone> { #[claim(sub)] id: u64, level: u8, extra: T }
#[derive(Policy)]
#[policy(user = User<String>, claim(level = 300))]
struct High;

fn main() {}
