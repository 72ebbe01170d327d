//! A claim that serde would flatten.
#[derive(serde::Serialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(flatten)]
    extra: std::collections::BTreeMap<String, String>,
}

fn main() {}
