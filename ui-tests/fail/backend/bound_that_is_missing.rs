//! A backend with a parameter, whose bound only the impl says.
use tollgate::prelude::*;
trait Repository: Send + Sync + 'static {}
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts<R> { users: R }
impl<R: Repository> Authenticate for Accounts<R> {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}
fn main() {}
