//! A caller with more fields, of which nobody said how they are made.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(Caller)]
struct Admin { user: Auth<User>, since: u64 }

fn main() {}
