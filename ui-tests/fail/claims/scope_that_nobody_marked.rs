//! A claim that policies would look at, and that is not marked.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    scope: String,
}

fn main() {}
