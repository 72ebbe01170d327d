//! A claim whose type cannot be written.
#[derive(Clone)]
struct Address(String);

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    address: Address,
}

fn main() {}
