//! A caller that is taken apart like a tuple.
//! `Auth` keeps its claims to itself: name the argument, `user: Auth<User>`, and read `user.id()`.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

async fn me(Auth(user): Auth<User>) {}

fn main() {}
