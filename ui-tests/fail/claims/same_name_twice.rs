//! Two claims of one name.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename = "name")]
    nickname: String,
    name: String,
}

fn main() {}
