//! Roles that are no closed set.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<String>,
}

fn main() {}
