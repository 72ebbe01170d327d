//! A path that the route of the steps would have.
use tollgate::{device::Client, error::AuthError, gate::*};
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[tollgate::auth_backend(email, user = User, signin(path = "/in"), refresh(path = "/in/step"))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}
impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> { Err(AuthError::Gone) }
}

fn main() {}
