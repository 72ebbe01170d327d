//! A user type that borrows.
#[derive(tollgate::JwtClaims)]
struct User<'a> {
    #[claim(sub)]
    id: u64,
    email: &'a str,
}

fn main() {}
