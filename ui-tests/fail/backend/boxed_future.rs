//! A backend whose function returns a boxed future, as `async_trait` writes it.
//! The trait takes an `async fn` as it is: leave `#[async_trait]` out.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    fn authenticate<'a, 'b, 'c>(&'a self, _: EmailLogin, _: &'b Client)
        -> std::pin::Pin<Box<dyn Future<Output = Result<User, AuthError>> + Send + 'c>> where 'a: 'c, 'b: 'c, Self: 'c {
        Box::pin(std::future::ready(Err(AuthError::Invalid)))
    }
}
fn main() {}
