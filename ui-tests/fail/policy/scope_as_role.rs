//! A scope that is asked for as if it were a role.
use tollgate::prelude::*;
#[derive(Clone, Copy, ClaimValue)]
enum Scope { Write }
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(scope)] scope: Vec<Scope> }
#[derive(Policy)]
#[policy(user = User, role = Scope::Write)]
struct Writers;

fn main() {}
