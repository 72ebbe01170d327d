//! A derive that the generated type has already.
#[derive(tollgate::JwtClaims)]
#[claims(derive(PartialEq, Clone))]
struct User {
    #[claim(sub)]
    id: u64,
}

fn main() {}
