//! A module that is not in scope.
//! rustc finds no such module: import it, or write its whole path.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(with = hex)]
    blob: Vec<u8>,
}

fn main() {}
