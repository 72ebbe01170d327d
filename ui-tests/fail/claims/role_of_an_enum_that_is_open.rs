//! A role whose enum derives nothing.
#[derive(Clone, Copy)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    role: Role,
}

fn main() {}
