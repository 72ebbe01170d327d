//! A struct whose fields have no names.
#[derive(tollgate::JwtClaims)]
struct User(u64, String);

fn main() {}
