//! An option of the struct on a field.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(rename_all = "camelCase")]
    full_name: String,
}

fn main() {}
