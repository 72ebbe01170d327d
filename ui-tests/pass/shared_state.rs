//! A state behind an `Arc`, whose gate serves every kind of caller.
#![deny(warnings)]

use std::sync::Arc;

use axum::extract::FromRef;
use axum::routing::get as plain;
use axum::{Json, Router};
use tollgate::prelude::*;
use tollgate::routing::get;

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User { id: 7 })
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

struct App {
    gate: Gate<Accounts>,
}

impl FromRef<App> for Gate<Accounts> {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

impl FromRef<App> for Verifier<User> {
    fn from_ref(app: &App) -> Self {
        app.gate.verifier()
    }
}

async fn me(user: Auth<User>) -> Json<UserClaims> {
    Json(user.into_claims())
}

async fn current(user: Current<Accounts>) -> String {
    user.id.to_string()
}

async fn maybe(user: Option<Auth<User>>, _: axum::http::HeaderMap, body: String) -> String {
    user.map_or(body, |user| user.subject().to_string())
}

fn app(app: App) -> Router {
    let state = Arc::new(app);
    let protected: ProtectedRouter<Arc<App>> = ProtectedRouter::new()
        .route("/me", get(me))
        .route("/current", get(current))
        .route("/maybe", get(maybe))
        .route("/open", get(async |_: Public| "open"));
    let plain = Router::new().route("/plain", plain(me));
    state.gate.clone().install(plain.merge(protected)).with_state(state)
}

/// The gate itself behind an `Arc`.
fn gate_alone(gate: Arc<Gate<Accounts>>) -> Router {
    let protected: ProtectedRouter<Arc<Gate<Accounts>>> =
        ProtectedRouter::new().route("/me", get(me)).route("/current", get(current));
    gate.install(Router::from(protected)).with_state(Arc::clone(&gate))
}

fn main() {
    let _: fn(Arc<Gate<Accounts>>) -> Router = gate_alone;
    let _: fn(App) -> Router = app;
}
