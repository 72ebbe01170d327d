//! A claim that binds a token of our own to an action.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(action)]
    digest: String,
}

fn main() {}
