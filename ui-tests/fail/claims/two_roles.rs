//! Two fields of roles.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(roles)]
    groups: Vec<Role>,
}

fn main() {}
