//! A mistake in a state is reported once, however often its gates are asked for.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
#[derive(Clone, GateState)]
struct App { one: Gate<Accounts>, #[gate(user = User)] two: Gate<Accounts> }
async fn me(_: Auth<User>) {}
async fn account(_: Auth<User>) {}
fn main() { let _ = axum::Router::<App>::new().route("/", axum::routing::get(me)).route("/a", axum::routing::get(account)); }
