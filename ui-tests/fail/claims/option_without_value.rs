//! A name that is missing.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename)]
    email: String,
}

fn main() {}
