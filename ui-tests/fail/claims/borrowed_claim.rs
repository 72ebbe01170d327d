//! A claim that borrows.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    locale: &'static str,
}

fn main() {}
