//! The user type as a string: one error, although the gate is used.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[tollgate::auth_backend(email, user = "User", refresh(from = stored))]
struct Accounts;
impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(&self, _: tollgate::gate::EmailLogin, _: &tollgate::device::Client)
    -> Result<User, tollgate::error::AuthError> { Ok(User { id: 7 }) }
}

fn main() { let _ = Accounts.gate(); }
