//! A time that is not in whole seconds.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    created_at: f64,
}

fn main() {}
