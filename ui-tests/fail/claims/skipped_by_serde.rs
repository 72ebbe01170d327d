//! A field that only serde leaves out.
#[derive(serde::Serialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(skip)]
    locale: String,
}

fn main() {}
