//! Two fields that a case makes one.
#[derive(tollgate::JwtClaims)]
#[claims(rename_all = "camelCase")]
struct User {
    #[claim(sub)]
    id: u64,
    user_name: String,
    #[allow(non_snake_case)]
    userName: String,
}

fn main() {}
