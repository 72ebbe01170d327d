//! A module in quotes, as serde takes it.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(with = "hex")]
    blob: Vec<u8>,
}

fn main() {}
