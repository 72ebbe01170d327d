//! A claim that serde leaves out on a condition of its own.
#[derive(serde::Serialize, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    nickname: String,
}

fn main() {}
