//! A sign-in whose body cannot be read.
//! rustc asks for `Deserialize`: derive it on the type that `login = …` names.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
struct Badge { number: u64 }

#[auth_backend(login = Badge, user = User, refresh(from = stored))]
struct Door;
impl Authenticate for Door {
    async fn authenticate(&self, _: Badge, _: &Client) -> Result<User, AuthError> { Err(AuthError::Invalid) }
}

fn main() {}
