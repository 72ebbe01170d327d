//! A sign-in that expects another body than the backend says.
//! rustc compares the signatures: the argument is what `email`, `username` or `login = …` stands for, or `Self::Login`.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[auth_backend(username, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
