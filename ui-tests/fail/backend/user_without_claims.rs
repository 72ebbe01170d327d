//! A user type that derives no claims.
struct User;

#[tollgate::auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;

impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(&self, _: Self::Login, _: &tollgate::device::Client) -> Result<User, tollgate::error::AuthError> {
        Ok(User)
    }
}

fn main() {}
