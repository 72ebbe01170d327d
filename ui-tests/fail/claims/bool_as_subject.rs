//! A subject that tells two users apart.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    known: bool,
}

fn main() {}
