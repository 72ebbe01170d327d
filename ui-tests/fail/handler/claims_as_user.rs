//! The claims in place of the user.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_user: Auth<UserClaims>) {}

fn main() {}
