//! The option `serde = own` without the impls.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(serde = own)]
enum Plan { Free, Pro }

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    plan: Plan,
}

fn main() {}
