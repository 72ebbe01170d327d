//! A name for a claim that is not in the token.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(skip, rename = "mail")]
    email: String,
}

fn main() {}
