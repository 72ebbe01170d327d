//! A handler that loads its caller through a backend without `Refresh`.
//! axum says that the function is no `Handler`: `Current<Accounts>` needs `impl Refresh for Accounts`.
use {axum::{Router, routing::get}, tollgate::prelude::*};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
async fn me(_user: Current<Accounts>) {}
fn main() {
    let _: Router<Gate<Accounts>> = Router::new().route("/me", get(me));
}
