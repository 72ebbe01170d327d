//! An option of a field on the struct.
#[derive(tollgate::JwtClaims)]
#[claims(skip)]
struct User {
    #[claim(sub)]
    id: u64,
    email: String,
}

fn main() {}
