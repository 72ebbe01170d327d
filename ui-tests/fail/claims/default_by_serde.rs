//! A default that only serde knows.
#[derive(serde::Deserialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(default)]
    visits: u32,
}

fn main() {}
