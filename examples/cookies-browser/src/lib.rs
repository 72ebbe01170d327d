//! A page whose tokens no script ever sees: a browser keeps them in cookies, and the gate says
//! which requests may use them.

use std::error::Error;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get as page_at;
use axum::{Json, Router};
use tollgate::id::TokenId;
use tollgate::prelude::*;
use tollgate::routing::get;

/// A user of this program.
#[derive(Clone, JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: u64,
    email: String,
}

/// Sends a code to an address.
pub type Mail = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Two users in memory, of whom Grace needs a code as well. A program of yours asks its database,
/// and hashes with `Passwords`: see the quickstart.
#[auth_backend(email, user = User)]
struct Accounts {
    mail: Mail,
}

impl Accounts {
    fn by_id(id: u64) -> Option<User> {
        let email = match id {
            1 => "ada@example.com",
            2 => "grace@example.com",
            _ => return None,
        };
        Some(User {
            id,
            email: email.to_owned(),
        })
    }

    /// Draws a code of six digits.
    fn code() -> Result<String, AuthError> {
        let [a, b, c, d, ..] = *TokenId::random()?.as_bytes();
        let number = u32::from_be_bytes([a, b, c, d]) % 1_000_000;
        Ok(format!("{number:06}"))
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        let known = [1, 2].into_iter().filter_map(Self::by_id);
        let user = known
            .filter(|_| login.password.expose() == "correct horse battery staple")
            .find(|user| user.email == login.email)
            .ok_or(AuthError::Invalid)?;
        if user.id == 1 {
            return Ok(user);
        }
        let code = Self::code()?;
        (self.mail)(&user.email, &code);
        let mut step = SignInStep::new(user.id, "code");
        step.note = Some(code);
        Err(step.into())
    }

    /// A wrong code may be given again, twice; a right one counts once, since its step is over.
    async fn step(
        &self,
        step: &SignInStep,
        answer: &StepAnswer,
        _client: &Client,
    ) -> Result<User, AuthError> {
        let id = step.subject.parse().map_err(|_| AuthError::Invalid)?;
        match (answer.code(), &step.note) {
            (Some(code), Some(sent)) if code == sent => Self::by_id(id).ok_or(AuthError::Invalid),
            _ => Err(AuthError::Invalid),
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _client: &Client) -> Result<User, AuthError> {
        Self::by_id(*id).ok_or(AuthError::Gone)
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
pub async fn app(origin: &str, mail: Mail) -> Result<Router, Box<dyn Error + Send + Sync>> {
    app_with(Settings::default(), origin, mail).await
}

/// The application with settings, such as shorter lifetimes.
///
/// # Errors
/// The gate cannot be built.
pub async fn app_with(
    mut settings: Settings,
    origin: &str,
    mail: Mail,
) -> Result<Router, Box<dyn Error + Send + Sync>> {
    settings.issuer.get_or_insert(origin.to_owned());
    settings.audience.get_or_insert(origin.to_owned());
    let gate = Accounts { mail }
        .gate()
        .settings(settings)
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(MemoryStore::new())
        .cookies("/auth")
        .build()
        .await?;
    let state = App {
        verifier: gate.verifier(),
        note: Arc::default(),
    };
    let own = ProtectedRouter::new()
        .route("/me", get(me))
        .route("/note", get(read).post(write));
    let pages = Router::new()
        .route("/", page_at(page))
        .route("/page.css", page_at(style))
        .route("/page.js", page_at(script));
    Ok(gate.install(own).with_state(state).merge(pages))
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

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css")], include_str!("page.css"))
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
