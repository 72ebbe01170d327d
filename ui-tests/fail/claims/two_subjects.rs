//! Two fields that both claim to be the subject.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(sub)]
    email: String,
}

fn main() {}
