//! A backend over a repository of any kind.
use tollgate::prelude::*;

pub trait Repository: Send + Sync + 'static {
    fn find(&self, email: &str) -> Option<u64>;
}

#[derive(JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User, refresh(from = stored), bound(R: Repository))]
pub struct Accounts<R> {
    users: R,
}

impl<R: Repository> tollgate::gate::Authenticate for Accounts<R> {
    async fn authenticate(
        &self,
        login: tollgate::gate::EmailLogin,
        _: &tollgate::device::Client,
    ) -> Result<User, AuthError> {
        let id = self.users.find(&login.email).ok_or(AuthError::Invalid)?;
        Ok(User { id })
    }
}

struct Nobody;
impl Repository for Nobody {
    fn find(&self, _: &str) -> Option<u64> {
        None
    }
}

fn main() {
    let _ = Accounts { users: Nobody }.gate();
}
