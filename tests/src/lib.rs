//! What the tests share: a backend whose users a test can change under way, a gate on it, and a
//! client that speaks HTTP to it.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_errors_doc
)]

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Json;
use axum::routing::get;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::settings::ThrottleSettings;
use tollgate::store::Store;
use tower::ServiceExt as _;
use uuid::Uuid;

pub mod process;
pub mod serve;
pub mod support;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
pub enum Role {
    /// May do everything.
    Admin,
    /// May write.
    Editor,
}

/// A scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
pub enum Scope {
    /// May read.
    Read,
    /// May write.
    Write,
}

/// A user of the tests.
#[derive(Clone, Debug, JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: Uuid,
    email: String,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(scope)]
    scope: Vec<Scope>,
    #[claim(skip)]
    password: String,
    #[claim(skip)]
    is_disabled: bool,
}

/// Administrators.
#[derive(Policy)]
#[policy(role = Role::Admin)]
pub struct Admins;

/// Administrators, checked against the store each time.
#[derive(Policy)]
#[policy(role = Role::Admin, consistency = strict)]
pub struct StrictAdmins;

/// Administrators who signed in within the last five minutes.
#[derive(Policy)]
#[policy(role = Role::Admin, max_age = "5m")]
pub struct FreshAdmins;

/// Those who may write.
#[derive(Policy)]
#[policy(scope = Scope::Write)]
pub struct Writers;

/// A future that a test runs in the middle of something.
pub type SignInStep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a test wants to happen in the middle of something.
#[derive(Clone, Default)]
pub struct Hook(Arc<Mutex<Option<MakeStep>>>);

type MakeStep = Box<dyn Fn() -> SignInStep + Send>;

impl Hook {
    /// Sets what happens, until it is cleared.
    pub fn set<F: Future<Output = ()> + Send + 'static>(
        &self,
        step: impl Fn() -> F + Send + 'static,
    ) {
        *self.0.lock().unwrap() = Some(Box::new(move || Box::pin(step())));
    }

    /// Nothing happens any more.
    pub fn clear(&self) {
        *self.0.lock().unwrap() = None;
    }

    async fn run(&self) {
        let step = self.0.lock().unwrap().as_ref().map(|make| make());
        if let Some(step) = step {
            step.await;
        }
    }
}

/// A backend whose users live in memory.
#[auth_backend(email, user = User)]
#[derive(Clone, Default)]
pub struct Accounts {
    /// By id.
    pub users: Arc<Mutex<HashMap<Uuid, User>>>,
    /// Runs after a user was looked up for a sign-in, before the answer.
    pub in_authenticate: Hook,
    /// Runs after a user was loaded for a refresh, before the answer.
    pub in_refresh: Hook,
    /// How often somebody was authenticated.
    pub authentications: Arc<AtomicU64>,
    /// Whether the database is down.
    pub is_down: Arc<std::sync::atomic::AtomicBool>,
}

impl Accounts {
    /// Ada, who is an administrator, and Grace, who is an editor.
    #[must_use]
    pub fn seeded() -> Self {
        let accounts = Self::default();
        accounts.add(
            "ada@example.com",
            vec![Role::Admin],
            vec![Scope::Read, Scope::Write],
            false,
        );
        accounts.add(
            "grace@example.com",
            vec![Role::Editor],
            vec![Scope::Read],
            false,
        );
        accounts.add("mallory@example.com", vec![], vec![], true);
        accounts
    }

    /// Adds a user.
    pub fn add(&self, email: &str, roles: Vec<Role>, scope: Vec<Scope>, is_disabled: bool) -> Uuid {
        let id = Uuid::new_v4();
        let user = User {
            id,
            email: email.into(),
            roles,
            scope,
            password: PASSWORD.into(),
            is_disabled,
        };
        self.users.lock().unwrap().insert(id, user);
        id
    }

    /// Who has this address.
    #[must_use]
    pub fn id_of(&self, email: &str) -> Uuid {
        self.users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == email)
            .unwrap()
            .id
    }

    /// A copy of who has this address.
    #[must_use]
    pub fn user(&self, email: &str) -> User {
        self.users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == email)
            .unwrap()
            .clone()
    }

    /// Changes a user.
    pub fn change(&self, email: &str, change: impl FnOnce(&mut User)) {
        change(
            self.users
                .lock()
                .unwrap()
                .values_mut()
                .find(|user| user.email == email)
                .unwrap(),
        );
    }

    /// Replaces a user's roles.
    pub fn set_roles(&self, email: &str, roles: Vec<Role>) {
        self.change(email, |user| user.roles = roles);
    }

    /// Disables or enables a user.
    pub fn set_disabled(&self, email: &str, is_disabled: bool) {
        self.change(email, |user| user.is_disabled = is_disabled);
    }

    /// Replaces a user's password.
    pub fn set_password(&self, email: &str, password: &str) {
        self.change(email, |user| user.password = password.into());
    }

    /// Removes a user.
    pub fn remove(&self, email: &str) {
        self.users
            .lock()
            .unwrap()
            .retain(|_, user| user.email != email);
    }

    fn check_up(&self) -> Result<(), AuthError> {
        if self.is_down.load(Ordering::SeqCst) {
            Err(AuthError::unavailable("the database is down"))
        } else {
            Ok(())
        }
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        self.check_up()?;
        self.authentications.fetch_add(1, Ordering::SeqCst);
        let user = self
            .users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == login.email)
            .cloned();
        self.in_authenticate.run().await;
        let user = user
            .filter(|user| user.password == login.password.expose())
            .ok_or(AuthError::Invalid)?;
        if user.is_disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, subject: &Uuid, _client: &Client) -> Result<User, AuthError> {
        self.check_up()?;
        let user = self.users.lock().unwrap().get(subject).cloned();
        self.in_refresh.run().await;
        let user = user.ok_or(AuthError::Gone)?;
        if user.is_disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

/// The password of every user.
pub const PASSWORD: &str = "correct horse battery staple";

pub use tollgate::testing::START;

/// A builder with everything but a store and keys of its own choice.
pub async fn gate(accounts: Accounts, store: impl Into<Store>, clock: Clock) -> Gate<Accounts> {
    gate_with(accounts, store, clock, Settings::default()).await
}

/// The same with settings.
pub async fn gate_with(
    accounts: Accounts,
    store: impl Into<Store>,
    clock: Clock,
    settings: Settings,
) -> Gate<Accounts> {
    let (builder, _) = tollgate::testing::ready(accounts.gate()).unwrap();
    // Nothing is throttled unless a test says how.
    let throttle =
        Some(settings.throttle.clone()).filter(|throttle| *throttle != ThrottleSettings::default());
    let builder = builder.throttle(throttle.unwrap_or_else(ThrottleSettings::off));
    builder
        .settings(settings)
        .store(store)
        .clock(clock)
        .build()
        .await
        .unwrap()
}

/// An application on a gate, called in process.
#[derive(Clone)]
pub struct App {
    /// Its users.
    pub accounts: Accounts,
    /// Its gate.
    pub gate: Gate<Accounts>,
    /// Its clock.
    pub clock: Clock,
    router: Router,
}

impl App {
    /// On a store in memory, with default settings.
    pub async fn new() -> Self {
        Self::on(tollgate::store::MemoryStore::new(), Settings::default()).await
    }

    /// On a store in memory.
    pub async fn with(settings: Settings) -> Self {
        Self::on(tollgate::store::MemoryStore::new(), settings).await
    }

    /// On any store.
    pub async fn on(store: impl Into<Store>, settings: Settings) -> Self {
        let (accounts, clock) = (Accounts::seeded(), Clock::manual(START));
        let gate = gate_with(accounts.clone(), store, clock.clone(), settings).await;
        Self {
            router: routes(&gate),
            accounts,
            gate,
            clock,
        }
    }

    /// Other users on a gate of their own, by the same clock.
    #[must_use]
    pub fn on_gate(&self, accounts: Accounts, gate: Gate<Accounts>) -> Self {
        Self {
            router: routes(&gate),
            accounts,
            gate,
            clock: self.clock.clone(),
        }
    }

    /// The same users, gate and clock behind other routes.
    #[must_use]
    pub fn serving(&self, router: Router) -> Self {
        Self {
            router,
            ..self.clone()
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// `GET`, with a bearer.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, Some(token), None))
            .await
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, None, Some(body)))
            .await
    }

    /// `POST` of a JSON body, with a bearer.
    pub async fn post_as(&self, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(request(Method::POST, path, Some(token), body))
            .await
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str) -> Tokens {
        self.post(
            "/auth/signin",
            json!({ "email": email, "password": PASSWORD }),
        )
        .await
        .tokens()
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh-access", json!({ "refresh_token": token }))
            .await
    }

    /// Moves the clock.
    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets the task run that writes confirmations.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

/// The routes of the tests' application.
pub fn routes(gate: &Gate<Accounts>) -> Router {
    let app = Router::new()
        .route(
            "/me",
            get(async |auth: Auth<User>| Json(auth.claims().clone())),
        )
        .route("/admin", get(async |_: Auth<User, Admins>| "in"))
        .route("/strict", get(async |_: Auth<User, StrictAdmins>| "in"))
        .route("/fresh", get(async |_: Auth<User, FreshAdmins>| "in"))
        .route("/write", get(async |_: Auth<User, Writers>| "in"))
        .route(
            "/maybe",
            get(async |auth: Option<Auth<User>>| {
                auth.map_or_else(|| "nobody".into(), |a| a.subject().to_string())
            }),
        )
        .route(
            "/current",
            get(async |user: Current<Accounts>| user.email.clone()),
        )
        .merge(
            Router::new()
                .route("/guarded", get(async || "in"))
                .route_layer(gate.require::<Admins>()),
        );
    gate.install(app).with_state(gate.clone())
}

/// A request.
pub fn request(
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap()
}

/// What came back.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// Reads a response to its end.
    pub async fn of(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    /// The tokens of a successful answer.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
            session: text("session_id"),
        }
    }

    /// Asserts a problem document as DESIGN 5 describes it.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.code().as_str()),
            (status, code),
            "{}",
            self.text
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.headers["cache-control"], "no-store");
        let body = self.json();
        assert_eq!(body["type"], format!("urn:tollgate:problem:{code}"));
        assert_eq!(body["status"], status);
        assert_eq!(
            status == 401,
            self.headers.contains_key("www-authenticate") && status != 403
        );
    }

    /// The code of a problem; empty where there is none.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// The tokens of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The session's id.
    pub session: String,
}
