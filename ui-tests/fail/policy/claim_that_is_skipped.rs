//! A policy that looks at what no token carries.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(skip)]
    blocked: bool,
}

#[derive(tollgate::Policy)]
#[policy(user = User, not(claim(blocked = true)))]
struct Welcome;

fn main() {}
