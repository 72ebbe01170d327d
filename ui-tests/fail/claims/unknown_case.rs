//! A case that does not exist.
#[derive(tollgate::JwtClaims)]
#[claims(rename_all = "camelcase")]
struct User {
    #[claim(sub)]
    id: u64,
    full_name: String,
}

fn main() {}
