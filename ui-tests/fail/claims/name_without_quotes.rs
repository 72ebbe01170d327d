//! A name without quotes.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename = mail)]
    email: String,
}

fn main() {}
