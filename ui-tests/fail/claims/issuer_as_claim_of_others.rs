//! A field for what the verifier itself reads.
#[derive(tollgate::JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: u64,
    azp: String,
}

fn main() {}
