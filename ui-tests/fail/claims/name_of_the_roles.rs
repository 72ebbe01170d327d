//! A claim that takes the name of the roles.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    granted: Vec<Role>,
    roles: String,
}

fn main() {}
