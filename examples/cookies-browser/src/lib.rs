//! A page whose tokens no script ever sees: a browser keeps them in cookies, and the gate says
//! which requests may use them.

use std::error::Error;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use tollgate::prelude::*;

/// A user of this program.
#[derive(Clone, JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: u64,
    email: String,
}

/// One user in memory. A program of yours asks its database, and hashes with `Passwords`: see the
/// quickstart.
#[auth_backend(email, user = User)]
struct Accounts;

impl Accounts {
    fn ada() -> User {
        User {
            id: 1,
            email: "ada@example.com".to_owned(),
        }
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        let right = login.email == "ada@example.com"
            && login.password.expose() == "correct horse battery staple";
        if right {
            Ok(Self::ada())
        } else {
            Err(AuthError::Invalid)
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _id: &u64, _client: &Client) -> Result<User, AuthError> {
        Ok(Self::ada())
    }
}

/// The state of the handlers.
#[derive(Clone)]
struct App {
    verifier: Verifier<User>,
    note: Arc<Mutex<String>>,
}

impl FromRef<App> for Verifier<User> {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// The whole application. `origin` is what stands in the address bar: `http://localhost:3000`.
///
/// # Errors
/// The gate cannot be built.
pub async fn app(origin: &str) -> Result<Router, Box<dyn Error + Send + Sync>> {
    let gate = Accounts
        .gate()
        .issuer(origin)
        .audience(origin)
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(MemoryStore::new())
        .cookies("/auth")
        .build()
        .await?;
    let state = App {
        verifier: gate.verifier(),
        note: Arc::default(),
    };
    let own = Router::new()
        .route("/", get(page))
        .route("/page.js", get(script))
        .route("/me", get(me))
        .route("/note", get(read).post(write))
        .with_state(state);
    Ok(gate.install(own))
}

async fn page() -> impl IntoResponse {
    // Nothing but this origin's own script runs here: what a stranger wrote into a note does not.
    (
        [(
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'",
        )],
        Html(include_str!("page.html")),
    )
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], include_str!("page.js"))
}

async fn me(user: Auth<User>) -> Json<UserClaims> {
    Json(user.into_claims())
}

async fn read(_: Auth<User>, State(app): State<App>) -> String {
    app.note.lock().map(|note| note.clone()).unwrap_or_default()
}

/// Needs no layer against other sites' pages: `Auth` looks where a request with a cookie comes
/// from.
async fn write(_: Auth<User>, State(app): State<App>, text: String) -> StatusCode {
    match app.note.lock() {
        Ok(mut note) => *note = text,
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR,
    }
    StatusCode::NO_CONTENT
}
