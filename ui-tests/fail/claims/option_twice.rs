//! An option that is said twice.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename = "mail", rename = "address")]
    email: String,
}

fn main() {}
