//! A user who may be missing, inside of the caller.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_user: Auth<Option<User>>) {}

fn main() {}
