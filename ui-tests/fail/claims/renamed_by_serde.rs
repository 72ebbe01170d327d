//! A name that only serde knows.
#[derive(serde::Serialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(rename = "mail")]
    email: String,
}

fn main() {}
