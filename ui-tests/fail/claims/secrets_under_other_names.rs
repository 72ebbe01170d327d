//! Secrets under names that are written together, shortened or in capitals.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    pwhash: String,
    signing_key: String,
    mfa_seed: String,
    #[claim(rename = "APIKey")]
    second: String,
    has_password: bool,
}

fn main() {}
