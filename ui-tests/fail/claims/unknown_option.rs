//! A misspelt option.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(renam = "mail")]
    email: String,
}

fn main() {}
