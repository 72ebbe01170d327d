//! A float by another name as subject.
//! rustc calls it a failed evaluation, and our sentence stands behind.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    number: std::primitive::f64,
}

fn main() {}
