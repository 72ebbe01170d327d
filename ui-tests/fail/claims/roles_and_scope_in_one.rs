//! Roles that are scopes as well.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles, scope)]
    roles: Vec<Role>,
}

fn main() {}
