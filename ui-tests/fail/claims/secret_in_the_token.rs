//! A field that looks like a secret and would be in the token.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    password_hash: String,
}

fn main() {}
