//! A state that gives its gate by `FromRef`, and not what verifies.
use axum::extract::FromRef;
use tollgate::{gate::AuthBackend, prelude::*, routing::get};
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(Clone)]
struct App<B: AuthBackend> { gate: Gate<B> }
impl<B: AuthBackend> FromRef<App<B>> for Gate<B> { fn from_ref(app: &App<B>) -> Self { app.gate.clone() } }
async fn me(_: Auth<User>) {}
fn routes<B: AuthBackend<User = User> + Clone>() -> ProtectedRouter<App<B>> {
    ProtectedRouter::new().route("/me", get(me))
}
fn main() {}
