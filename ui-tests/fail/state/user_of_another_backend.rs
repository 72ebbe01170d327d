//! A gate that names the users of another backend.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
#[derive(JwtClaims)]
struct Staff { #[claim(sub)] id: u64 }
#[derive(GateState)]
struct App { #[gate(user = Staff)] gate: Gate<Accounts> }
fn main() {}
