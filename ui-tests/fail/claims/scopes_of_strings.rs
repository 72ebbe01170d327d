//! Scopes that are no closed set.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(scope)]
    scope: Vec<String>,
}

fn main() {}
