//! A user type that does not say who the user is.
#[derive(tollgate::JwtClaims)]
struct User {
    id: u64,
    email: String,
}

fn main() {}
