//! A claim that looks like a secret in the token.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename = "reset_token")]
    latest: String,
}

fn main() {}
