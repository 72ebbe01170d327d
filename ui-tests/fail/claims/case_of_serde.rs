//! A case that only serde knows.
#[derive(serde::Serialize, tollgate::JwtClaims)]
#[serde(rename_all = "camelCase")]
struct User {
    #[claim(sub)]
    id: u64,
    full_name: String,
}

fn main() {}
