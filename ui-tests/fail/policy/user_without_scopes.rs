//! A policy that asks for scopes of a user without them.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Scope { Write }
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[derive(tollgate::Policy)]
#[policy(user = User, scope = Scope::Write)]
struct Writers;

fn main() {}
