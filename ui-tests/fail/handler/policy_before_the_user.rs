//! A policy in front of the user.
//! The user comes first: write `Auth<User, Fresh>`.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(Policy)]
#[policy(max_age = "5m")]
struct Fresh;

type Caller = Auth<Fresh, User>;

fn main() { let _: Option<Caller> = None; }
