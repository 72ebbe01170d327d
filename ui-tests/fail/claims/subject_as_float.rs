//! A subject that cannot be compared exactly.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: f64,
}

fn main() {}
