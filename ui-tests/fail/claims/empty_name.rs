//! A claim without a name.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename = "")]
    email: String,
}

fn main() {}
