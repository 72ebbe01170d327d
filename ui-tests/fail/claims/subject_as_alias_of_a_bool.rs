//! A `bool` by another name as subject.
//! rustc calls it a failed evaluation, and our sentence stands behind.
type Flag = std::primitive::bool;
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    known: Flag,
}

fn main() {}
