//! Scopes in a form of their own.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Scope { Write }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(scope, with = comma)]
    scope: Vec<Scope>,
}

fn main() {}
