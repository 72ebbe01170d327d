//! A generated type whose name is taken.
//! rustc finds two types of one name: choose another with `#[claims(name = …)]`.
struct UserClaims;
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    email: String,
}

fn main() {}
