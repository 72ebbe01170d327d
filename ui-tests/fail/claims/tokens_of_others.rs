//! Claims of another issuer.
#[derive(tollgate::JwtClaims)]
#[claims(external)]
struct User {
    #[claim(sub)]
    id: u64,
    plan: String,
}

fn main() {}
