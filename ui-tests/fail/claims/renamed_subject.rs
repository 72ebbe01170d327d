//! A subject under another name.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub, rename = "uid")]
    id: u64,
}

fn main() {}
