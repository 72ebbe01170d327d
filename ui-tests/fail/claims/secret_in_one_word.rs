//! A secret under a name that is shortened and written together.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    pwhash: String,
}

fn main() {}
