//! A namespace that would run into the names.
#[derive(tollgate::JwtClaims)]
#[claims(namespace = "https://example.com")]
struct User {
    #[claim(sub)]
    id: u64,
    plan: String,
}

fn main() {}
