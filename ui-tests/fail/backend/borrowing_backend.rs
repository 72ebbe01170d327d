//! A backend that borrows.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[tollgate::auth_backend(email, user = User)]
struct Accounts<'a> {
    url: &'a str,
}

fn main() {}
