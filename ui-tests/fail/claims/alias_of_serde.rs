//! A second name that only serde knows.
#[derive(serde::Deserialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(alias = "mail")]
    email: String,
}

fn main() {}
