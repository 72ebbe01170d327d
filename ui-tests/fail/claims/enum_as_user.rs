//! An enum instead of a struct.
#[derive(tollgate::JwtClaims)]
enum User {
    Admin,
    Editor,
}

fn main() {}
