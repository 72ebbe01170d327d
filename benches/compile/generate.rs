//! Writes the same application twice: with tollgate's macros, and by hand on axum and jsonwebtoken.

use std::fmt;
use std::path::Path;

/// The libraries that a crate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Axum and tollgate with its default features.
    Tollgate,
    /// Axum and jsonwebtoken with its aws-lc-rs backend.
    ByHand,
    /// Axum alone.
    Bare,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tollgate => "tollgate",
            Self::ByHand => "jsonwebtoken",
            Self::Bare => "bare",
        }
    }
}

/// The numbers of users, backends and policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    users: usize,
    backends: usize,
    policies: usize,
}

impl Size {
    pub(crate) const SMALL: Self = Self {
        users: 1,
        backends: 1,
        policies: 1,
    };
    /// A hundred derives: forty users, an enum of roles and one of scopes for each backend, forty
    /// policies.
    pub(crate) const LARGE: Self = Self {
        users: 40,
        backends: 10,
        policies: 40,
    };
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let derives = self.users + 2 * self.backends + self.policies;
        write!(
            f,
            "{derives} derives and {} backends in the crate",
            self.backends
        )
    }
}

pub(crate) fn manifest(kind: Kind, workspace: &Path) -> String {
    let used = match kind {
        Kind::Tollgate => format!("tollgate = {{ path = {:?} }}", workspace.join("runtime")),
        Kind::ByHand => "jsonwebtoken = { version = \"11.1\", features = [\"aws_lc_rs\"] }\n\
                         serde = { version = \"1\", features = [\"derive\"] }"
            .to_owned(),
        Kind::Bare => String::new(),
    };
    format!(
        "[package]\nname = \"application\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\naxum = \"0.8.9\"\ntokio = {{ version = \"1\", features = [\"rt\", \"net\"] }}\n{used}\n\n[workspace]\n"
    )
}

/// The files of `src`, by name.
pub(crate) fn sources(kind: Kind, size: Size) -> Vec<(&'static str, String)> {
    match kind {
        Kind::Tollgate => vec![
            ("main.rs", with_macros::main(size)),
            (
                "values.rs",
                repeat(size.backends, size, with_macros::VALUES),
            ),
            ("users.rs", with_macros::users(size)),
            (
                "backends.rs",
                format!(
                    "{}{}",
                    with_macros::BACKENDS_HEAD,
                    repeat(size.backends, size, with_macros::BACKEND)
                ),
            ),
            ("handlers.rs", with_macros::handlers(size)),
            ("touched.rs", touched(kind, 0)),
        ],
        Kind::ByHand => vec![
            ("main.rs", by_hand::main(size)),
            ("token.rs", by_hand::TOKEN.to_owned()),
            (
                "values.rs",
                format!(
                    "{}{}",
                    by_hand::VALUES_HEAD,
                    repeat(size.backends, size, by_hand::VALUES)
                ),
            ),
            ("users.rs", by_hand::users(size)),
            (
                "backends.rs",
                format!(
                    "{}{}",
                    by_hand::BACKENDS_HEAD,
                    repeat(size.backends, size, by_hand::BACKEND)
                ),
            ),
            ("handlers.rs", by_hand::handlers(size)),
            ("touched.rs", touched(kind, 0)),
        ],
        Kind::Bare => vec![(
            "main.rs",
            "fn main() {\n    let _ = axum::Router::<()>::new();\n}\n".to_owned(),
        )],
    }
}

/// The handler that changes from round to round.
pub(crate) fn touched(kind: Kind, round: usize) -> String {
    let text = match kind {
        Kind::Tollgate => {
            "use tollgate::prelude::*;\nuse crate::users::User0;\n\n\
             pub async fn touched(caller: Auth<User0>) -> String {\n    format!(\"{} round %\", caller.subject())\n}\n"
        }
        Kind::ByHand => {
            "use crate::token::Caller;\nuse crate::users::User0Claims;\n\n\
             pub async fn touched(Caller(claims): Caller<User0Claims>) -> String {\n    format!(\"{} round %\", claims.sub)\n}\n"
        }
        Kind::Bare => "",
    };
    text.replace('%', &round.to_string())
}

/// A template for each number below `count`: `§` stands for the number, `@` for that of its
/// backend.
fn repeat(count: usize, size: Size, template: &str) -> String {
    let fill = |number: usize| {
        template
            .replace('§', &number.to_string())
            .replace('@', &(number % size.backends).to_string())
    };
    (0..count).map(fill).collect()
}

mod with_macros {
    use super::{Size, repeat};

    pub(super) const VALUES: &str = r#"
#[derive(Clone, Copy, PartialEq, Eq, tollgate::ClaimValue)]
pub enum Role§ { Admin, Editor, Author, Reader }

#[derive(Clone, Copy, PartialEq, Eq, tollgate::ClaimValue)]
pub enum Scope§ { Read, Write, Delete }
"#;

    const USER: &str = r#"
#[derive(Clone, JwtClaims)]
pub struct User§ {
    #[claim(sub)]
    pub id: u64,
    pub email: String,
    pub name: Option<String>,
    #[claim(roles)]
    pub roles: Vec<Role@>,
    #[claim(scope)]
    pub scope: Vec<Scope@>,
    #[claim(default)]
    pub visits: u32,
    #[claim(skip)]
    pub password_hash: String,
}

pub fn greet§(user: &User§) -> String {
    let claims = user.to_claims();
    format!("{} {:?} {} {}", claims.email(), claims.name(), claims.roles().len(), claims.visits())
}
"#;

    pub(super) const BACKENDS_HEAD: &str = "use tollgate::prelude::*;\nuse crate::users::*;\n";

    pub(super) const BACKEND: &str = r#"
#[auth_backend(email, user = User§, prefix = "/auth§")]
#[derive(Default)]
pub struct Accounts§ {
    pub users: Vec<User§>,
}

impl Authenticate for Accounts§ {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User§, AuthError> {
        let user = self.users.iter().find(|user| user.email == login.email).ok_or(AuthError::Invalid)?;
        if user.password_hash == login.password.expose() { Ok(user.clone()) } else { Err(AuthError::Invalid) }
    }
}

impl Refresh for Accounts§ {
    async fn refresh(&self, subject: &u64, _: &Client) -> Result<User§, AuthError> {
        self.users.iter().find(|user| user.id == *subject).cloned().ok_or(AuthError::Gone)
    }
}

pub async fn gate§() -> Gate<Accounts§> {
    let gate = Accounts§::default()
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(KeyRing::open("keys").await.expect("keys"))
        .store(MemoryStore::new());
    gate.build().await.expect("a gate")
}
"#;

    const HANDLER: &str = r#"
#[derive(Policy)]
#[policy(any(role = Role@::Admin, all(role = Role@::Editor, scope = Scope@::Write)), max_age = "1h")]
pub struct Policy§;

pub async fn handler§(caller: Auth<User@, Policy§>) -> String {
    let claims = caller.claims();
    format!("{} {} {:?}", caller.subject(), claims.email(), caller.token().sid())
}
"#;

    pub(super) fn main(size: Size) -> String {
        let routes = repeat(
            size.policies,
            size,
            "    let app@ = app@.route(\"/§\", get(handlers::handler§));\n",
        );
        let apps = repeat(
            size.backends,
            size,
            "    let gate§ = backends::gate§().await;\n    let app§ = Router::new().merge(gate§.router());\n",
        );
        let merged = repeat(
            size.backends,
            size,
            "\n        .nest(\"/app§\", app§.with_state(gate§))",
        );
        let greeted = repeat(size.users, size, "    let _ = users::greet§;\n");
        format!(
            "#![allow(dead_code)]\n\nmod backends;\nmod handlers;\nmod touched;\nmod users;\nmod values;\n\n\
             use axum::Router;\nuse axum::routing::get;\n\n\
             fn main() {{\n    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect(\"a runtime\");\n    \
             runtime.block_on(serve());\n}}\n\n\
             async fn serve() {{\n{greeted}{apps}    let app0 = app0.route(\"/touched\", get(touched::touched));\n{routes}    \
             let app: Router = Router::new(){merged};\n    \
             let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await.expect(\"a port\");\n    \
             axum::serve(listener, app).await.expect(\"it serves\");\n}}\n"
        )
    }

    pub(super) fn users(size: Size) -> String {
        let users = repeat(size.users, size, USER);
        format!(
            "use tollgate::prelude::*;\n#[allow(unused_imports)]\nuse tollgate::token::JwtClaims as _;\nuse crate::values::*;\n{users}"
        )
    }

    pub(super) fn handlers(size: Size) -> String {
        let handlers = repeat(size.policies, size, HANDLER);
        format!(
            "use tollgate::prelude::*;\nuse crate::users::*;\nuse crate::values::*;\n{handlers}"
        )
    }
}

mod by_hand {
    use super::{Size, repeat};

    pub(super) const TOKEN: &str = r#"use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub struct Keys {
    pub encoding: EncodingKey,
    pub decoding: DecodingKey,
    pub validation: Validation,
}

impl Keys {
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&["https://accounts.example.com"]);
        validation.set_audience(&["https://api.example.com"]);
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret), validation }
    }

    pub fn issue<C: Serialize>(&self, claims: &C) -> Result<String, StatusCode> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn verify<C: DeserializeOwned + Clone>(&self, token: &str) -> Result<C, StatusCode> {
        let decoded = jsonwebtoken::decode::<C>(token, &self.decoding, &self.validation);
        decoded.map(|token| token.claims).map_err(|_| StatusCode::UNAUTHORIZED)
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub struct Caller<C>(pub C);

impl<S, C> FromRequestParts<S> for Caller<C>
where
    S: Send + Sync,
    C: DeserializeOwned + Clone,
    Arc<Keys>: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|text| text.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
        Arc::<Keys>::from_ref(state).verify(token).map(Self)
    }
}
"#;

    pub(super) const VALUES_HEAD: &str = "use serde::{Deserialize, Serialize};\n";

    pub(super) const VALUES: &str = r#"
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role§ { Admin, Editor, Author, Reader }

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope§ { Read, Write, Delete }
"#;

    const USER: &str = r#"
#[derive(Clone)]
pub struct User§ {
    pub id: u64,
    pub email: String,
    pub name: Option<String>,
    pub roles: Vec<Role@>,
    pub scope: Vec<Scope@>,
    pub visits: u32,
    pub password_hash: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct User§Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub iat: u64,
    pub sid: u64,
    pub auth_time: u64,
    pub email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub roles: Vec<Role@>,
    pub scope: Vec<Scope@>,
    #[serde(default)]
    pub visits: u32,
}

impl User§ {
    pub fn to_claims(&self, sid: u64, auth_time: u64) -> User§Claims {
        User§Claims {
            iss: "https://accounts.example.com".into(),
            sub: self.id.to_string(),
            aud: "https://api.example.com".into(),
            exp: now() + 600,
            iat: now(),
            sid,
            auth_time,
            email: self.email.clone(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            scope: self.scope.clone(),
            visits: self.visits,
        }
    }
}

pub fn greet§(user: &User§) -> String {
    let claims = user.to_claims(0, 0);
    format!("{} {:?} {} {}", claims.email, claims.name, claims.roles.len(), claims.visits)
}
"#;

    pub(super) const BACKENDS_HEAD: &str = r#"use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::token::{Caller, Keys, now};
use crate::users::*;

#[derive(Deserialize)]
pub struct Login { pub email: String, pub password: String }

#[derive(Deserialize)]
pub struct Renewal { pub refresh_token: String }

#[derive(Clone, Serialize, Deserialize)]
pub struct RefreshClaims { pub iss: String, pub aud: String, pub sub: String, pub sid: u64, pub exp: u64 }

#[derive(Serialize)]
pub struct Tokens { pub access_token: String, pub refresh_token: String, pub expires_in: u64 }
"#;

    pub(super) const BACKEND: &str = r#"
#[derive(Default)]
pub struct Accounts§ {
    pub users: Vec<User§>,
    pub sessions: Mutex<HashMap<u64, String>>,
}

#[derive(Clone)]
pub struct Gate§ { pub accounts: Arc<Accounts§>, pub keys: Arc<Keys> }

impl FromRef<Gate§> for Arc<Keys> {
    fn from_ref(gate: &Gate§) -> Self { gate.keys.clone() }
}

impl Accounts§ {
    async fn authenticate(&self, login: &Login) -> Result<User§, StatusCode> {
        let user = self.users.iter().find(|user| user.email == login.email).ok_or(StatusCode::UNAUTHORIZED)?;
        if user.password_hash == login.password { Ok(user.clone()) } else { Err(StatusCode::UNAUTHORIZED) }
    }

    async fn load(&self, subject: &str) -> Result<User§, StatusCode> {
        self.users.iter().find(|user| user.id.to_string() == subject).cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn tokens§(gate: &Gate§, user: &User§, sid: u64, auth_time: u64) -> Result<Json<Tokens>, StatusCode> {
    let access = user.to_claims(sid, auth_time);
    let refresh = RefreshClaims { iss: access.iss.clone(), aud: access.aud.clone(), sub: access.sub.clone(), sid, exp: now() + 2_592_000 };
    Ok(Json(Tokens { access_token: gate.keys.issue(&access)?, refresh_token: gate.keys.issue(&refresh)?, expires_in: 600 }))
}

async fn signin§(State(gate): State<Gate§>, Json(login): Json<Login>) -> Result<Json<Tokens>, StatusCode> {
    let user = gate.accounts.authenticate(&login).await?;
    let sid = now();
    gate.accounts.sessions.lock().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.insert(sid, user.id.to_string());
    tokens§(&gate, &user, sid, now())
}

async fn refresh§(State(gate): State<Gate§>, Json(renewal): Json<Renewal>) -> Result<Json<Tokens>, StatusCode> {
    let claims: RefreshClaims = gate.keys.verify(&renewal.refresh_token)?;
    let known = gate.accounts.sessions.lock().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.contains_key(&claims.sid);
    if !known { return Err(StatusCode::UNAUTHORIZED); }
    let user = gate.accounts.load(&claims.sub).await?;
    tokens§(&gate, &user, claims.sid, now())
}

async fn signout§(State(gate): State<Gate§>, Caller(claims): Caller<User§Claims>) -> Result<StatusCode, StatusCode> {
    gate.accounts.sessions.lock().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.remove(&claims.sid);
    Ok(StatusCode::NO_CONTENT)
}

async fn sessions§(State(gate): State<Gate§>, Caller(claims): Caller<User§Claims>) -> Result<Json<Vec<u64>>, StatusCode> {
    let sessions = gate.accounts.sessions.lock().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(sessions.iter().filter(|(_, subject)| **subject == claims.sub).map(|(sid, _)| *sid).collect()))
}

pub fn gate§() -> Gate§ {
    Gate§ { accounts: Arc::default(), keys: Arc::new(Keys::new(b"0123456789abcdef0123456789abcdef")) }
}

impl Gate§ {
    pub fn router(&self) -> Router<Gate§> {
        Router::new()
            .route("/auth§/signin", post(signin§))
            .route("/auth§/refresh-access", post(refresh§))
            .route("/auth§/signout", post(signout§))
            .route("/auth§/sessions", get(sessions§))
    }
}
"#;

    const HANDLER: &str = r#"
fn policy§(claims: &User@Claims) -> bool {
    (claims.roles.contains(&Role@::Admin) || claims.roles.contains(&Role@::Editor) && claims.scope.contains(&Scope@::Write))
        && now() - claims.auth_time <= 3600
}

pub async fn handler§(Caller(claims): Caller<User@Claims>) -> Result<String, StatusCode> {
    if !policy§(&claims) { return Err(StatusCode::FORBIDDEN); }
    Ok(format!("{} {} {:?}", claims.sub, claims.email, claims.sid))
}
"#;

    pub(super) fn main(size: Size) -> String {
        let main =
            super::with_macros::main(size).replace("mod handlers;", "mod handlers;\nmod token;");
        main.replace("().await;\n    let app", "();\n    let app")
    }

    pub(super) fn users(size: Size) -> String {
        let users = repeat(size.users, size, USER);
        format!(
            "use serde::{{Deserialize, Serialize}};\nuse crate::token::now;\nuse crate::values::*;\n{users}"
        )
    }

    pub(super) fn handlers(size: Size) -> String {
        let handlers = repeat(size.policies, size, HANDLER);
        format!(
            "use axum::http::StatusCode;\nuse crate::token::{{Caller, now}};\nuse crate::users::*;\nuse crate::values::*;\n{handlers}"
        )
    }
}
