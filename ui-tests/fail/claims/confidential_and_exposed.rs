//! A claim that its holder both may and may not read.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(confidential, expose)]
    salary: u32,
}

fn main() {}
