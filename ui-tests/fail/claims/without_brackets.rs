//! An attribute that says nothing.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim]
    email: String,
}

fn main() {}
