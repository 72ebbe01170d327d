//! A role as a string, asked of a user whose roles are an enum.
use tollgate::prelude::*;
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }
#[derive(Policy)]
#[policy(user = User, role = "admin")]
struct Admins;

fn main() {}
