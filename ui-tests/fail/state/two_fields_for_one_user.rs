//! A gate and a verifier for the tokens of one user type.
use tollgate::{gate::AuthBackend, prelude::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(GateState)]
struct App<B: AuthBackend<User = User>> { #[gate(user = User)] gate: Gate<B>, others: Verifier<User> }

fn main() {}
