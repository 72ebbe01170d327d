//! A backend that disables the refresh route needs no `Refresh`.
use tollgate::prelude::*;

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User, disable(refresh))]
struct Accounts;

impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(
        &self,
        _: tollgate::gate::EmailLogin,
        _: &tollgate::device::Client,
    ) -> Result<User, AuthError> {
        Ok(User { id: 7 })
    }
}

fn main() {
    let _ = Accounts.gate();
}
