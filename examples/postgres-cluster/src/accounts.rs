//! Two users, the same on every node. A program of your own has them in a table: see the
//! quickstart.

use tollgate::password::Stored;
use tollgate::prelude::*;
use uuid::Uuid;

/// A user. A token carries all of it.
#[derive(Clone, JwtClaims)]
pub(crate) struct User {
    #[claim(sub)]
    id: Uuid,
    email: String,
}

/// All users, with their passwords.
#[auth_backend(email, user = User)]
pub(crate) struct Accounts {
    users: Vec<(User, Stored)>,
    passwords: Passwords,
}

impl Accounts {
    pub(crate) async fn new(passwords: Passwords) -> Result<Self, AuthError> {
        let mut users = Vec::new();
        for (id, email) in [(1, "ada@example.com"), (2, "grace@example.com")] {
            let user = User {
                id: Uuid::from_u128(id),
                email: email.to_owned(),
            };
            let password = Password::new("correct horse battery staple");
            let hash = passwords.hash(&password).await?.of(user.id);
            users.push((user, hash));
        }
        Ok(Self { users, passwords })
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        let found = self
            .users
            .iter()
            .find(|(user, _)| user.email == login.email);
        // Every attempt costs one hash, also without an account. These hashes are fresh, so none
        // of them has to be made again: see the quickstart.
        let _checked = self
            .passwords
            .check(&login.password, found.map(|(_, password)| password))
            .await?;
        found
            .map(|(user, _)| user.clone())
            .ok_or(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &Uuid, _client: &Client) -> Result<User, AuthError> {
        self.users
            .iter()
            .map(|(user, _)| user)
            .find(|user| user.id == *id)
            .cloned()
            .ok_or(AuthError::Gone)
    }
}
