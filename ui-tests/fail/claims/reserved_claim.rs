//! A claim that the gate itself sets.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    exp: u64,
}

fn main() {}
