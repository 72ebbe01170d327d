//! A sign-in that answers another user than the backend says.
//! rustc compares the types: `authenticate` returns what `user = …` names.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
struct Row { id: u64 }

#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;
impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Row, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
