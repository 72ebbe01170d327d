//! `claim` where `claims` belongs.
#[derive(tollgate::JwtClaims)]
#[claim(rename_all = "camelCase")]
struct User {
    #[claim(sub)]
    id: u64,
    full_name: String,
}

fn main() {}
