//! A subject that is left out of the token.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub, skip)]
    id: u64,
}

fn main() {}
