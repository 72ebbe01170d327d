//! Two gates of one backend.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
#[derive(GateState)]
struct App { #[gate(user = User)] shop: Gate<Accounts>, #[gate(user = User)] desk: Gate<Accounts> }

fn main() {}
