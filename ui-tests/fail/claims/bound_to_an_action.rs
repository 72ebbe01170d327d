//! A claim that binds the token to one action.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(action)]
    digest: String,
}

fn main() {}
