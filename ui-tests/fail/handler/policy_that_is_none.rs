//! A handler that asks for something that is no policy.
use tollgate::prelude::*;
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(roles)] role: Role }

async fn purge(_admin: Auth<User, Role>) {}

fn main() {}
