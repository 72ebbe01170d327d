//! A backend that takes tokens of other issuers and does not say whom they are about.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[auth_backend(guard, user = User, refresh(from = stored))]
struct Accounts;

fn main() {}
