//! Roles that are asked for as if they were a claim.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(roles = Role::Admin))]
struct Admins;

fn main() {}
