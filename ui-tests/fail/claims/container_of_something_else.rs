//! A container that does not hold what `of` says.
use tollgate::{ClaimValue, JwtClaims};
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }
#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles, of = Role)]
    roles: Vec<u8>,
}

fn main() {}
