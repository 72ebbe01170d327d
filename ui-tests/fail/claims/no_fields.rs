//! A struct that holds nothing.
#[derive(tollgate::JwtClaims)]
struct User;

fn main() {}
