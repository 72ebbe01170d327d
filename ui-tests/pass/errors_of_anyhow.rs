//! A program whose functions fail with `anyhow::Error`: `?` turns it into a refusal, in handlers and
//! in the backend.
#![deny(warnings)]

use anyhow::{Context as _, anyhow};
use tollgate::prelude::*;

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

fn load(id: u64) -> anyhow::Result<User> {
    Err(anyhow!("no connection")).context(format!("the user {id}"))
}

#[auth_backend(username, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, login: UsernameLogin, _: &Client) -> Result<User, AuthError> {
        let id: u64 = login.username.parse().context("the name is a number")?;
        Ok(load(id)?)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
        Ok(load(*id)?)
    }
}

async fn me(user: Auth<User>) -> Result<String, Rejection> {
    let user = load(*user.id())?;
    Ok(user.id.to_string())
}

fn main() {
    let unavailable = AuthError::from(load(7).err().unwrap());
    assert!(matches!(unavailable, AuthError::Unavailable(_)), "{unavailable:?}");
    let rejection = Rejection::from(load(7).err().unwrap());
    assert_eq!(rejection.code(), tollgate::error::Code::InternalError);
    let _ = tollgate::routing::get::<_, _, Gate<Accounts>>(me);
}
