//! A time that is not in whole seconds, where there is one.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    valid_until: Option<f64>,
}

fn main() {}
