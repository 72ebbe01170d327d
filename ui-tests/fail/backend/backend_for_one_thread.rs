//! A backend that only one thread can use.
//! rustc says which field it is: hold what threads may share, such as an `Arc` for an `Rc`.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts { cache: std::rc::Rc<u8> }
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
