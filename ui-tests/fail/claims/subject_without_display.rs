//! A subject that cannot be written as text.
#[derive(Clone)]
struct Id(u64);

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: Id,
}

fn main() {}
