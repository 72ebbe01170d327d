//! A subject that may be missing.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: Option<u64>,
}

fn main() {}
