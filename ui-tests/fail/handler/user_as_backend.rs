//! A user in place of the backend.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(_user: Current<User>) {}

fn main() {}
