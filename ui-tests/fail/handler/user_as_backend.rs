//! A user in place of the backend.
//! `Current<…>` names the backend, and not its users: `Current<Accounts>`.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
async fn me(_user: Current<User>) {}

fn main() {}
