//! A caller that borrows.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(Caller)]
struct Admin<'a>(&'a Auth<User>);

fn main() {}
