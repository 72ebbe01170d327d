//! Two ways to sign in.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(serde::Deserialize)]
struct Login { code: String }
#[tollgate::auth_backend(login = Login, email, user = User, refresh(from = stored))]
struct Accounts;
impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(&self, _: Login, _: &tollgate::device::Client) -> Result<User, tollgate::error::AuthError> {
        Err(tollgate::error::AuthError::Invalid)
    }
}

fn main() {}
