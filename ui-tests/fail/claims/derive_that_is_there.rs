//! Derives that the generated type has, or must not have.
#[derive(tollgate::JwtClaims)]
#[claims(derive(PartialEq, Clone, serde::Deserialize))]
struct User {
    #[claim(sub)]
    id: u64,
}

fn main() {}
