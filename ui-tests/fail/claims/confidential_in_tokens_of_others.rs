//! A claim of another issuer that nobody is to read.
#[derive(tollgate::JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: u64,
    #[claim(confidential)]
    plan: String,
}

fn main() {}
