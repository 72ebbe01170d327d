//! A union instead of a struct.
#[derive(tollgate::JwtClaims)]
union User {
    id: u64,
    key: u64,
}

fn main() {}
