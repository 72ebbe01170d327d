//! A digest of an action that may be missing.
#[derive(tollgate::JwtClaims)]
#[claims(external)]
struct Approval {
    #[claim(sub)]
    id: u64,
    #[claim(action)]
    digest: Option<String>,
}

fn main() {}
