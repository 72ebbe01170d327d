//! Every option of every macro, through a dependency under another name and under the strictest
//! lints.

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gatehouse::device::Client;
use gatehouse::error::AuthError;
use gatehouse::extract::{Auth, Current};
use gatehouse::gate::{Authenticate, EmailLogin, Gate, Refresh, UsernameLogin};
use gatehouse::{ClaimValue, JwtClaims, Policy, auth_backend};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
#[claim_value(crate = ::gatehouse, rename_all = "kebab-case")]
pub enum Role {
    /// All.
    ChiefEditor,
    /// Something.
    Editor,
    /// Nothing.
    #[claim_value(rename = "visitor")]
    Guest,
}

/// What a client was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
#[claim_value(crate = ::gatehouse)]
pub enum Scope {
    /// Reading.
    #[claim_value(rename = "notes:read")]
    Read,
    /// Writing.
    #[claim_value(rename = "notes:write")]
    Write,
}

/// What somebody pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ClaimValue)]
#[claim_value(crate = ::gatehouse, serde = own)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Nothing.
    Free,
    /// All.
    Pro,
}

/// Somebody.
#[derive(Clone, Debug, JwtClaims)]
#[claims(crate = ::gatehouse, name = Identity, rename_all = "camelCase", namespace = "https://example.com/")]
pub struct User {
    /// Who.
    #[claim(sub)]
    pub id: u64,
    /// Where to write to.
    pub email_address: String,
    /// What they may do.
    #[claim(roles)]
    pub roles: Vec<Role>,
    /// What their client was granted.
    #[claim(scope)]
    pub scope: Vec<Scope>,
    /// What they pay for.
    #[claim(rename = "tier")]
    pub plan: Plan,
    /// How often they came.
    #[claim(default)]
    pub visits: u32,
    /// How much they count.
    #[claim(default = one)]
    pub weight: u32,
    /// In hexadecimal digits.
    #[claim(with = hexadecimal)]
    pub colour: Vec<u8>,
    /// How they want to be called.
    pub nickname: Option<String>,
    /// The locker, which is no secret.
    #[claim(expose)]
    pub pin: u16,
    /// Not in the token.
    #[claim(skip)]
    pub password_hash: String,
}

fn one() -> u32 {
    1
}

mod hexadecimal {
    use super::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(bytes.iter().map(|byte| format!("{byte:02x}")))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let digits = Vec::<String>::deserialize(deserializer)?;
        let bytes: Result<_, _> = digits.iter().map(|digits| u8::from_str_radix(digits, 16)).collect();
        bytes.map_err(serde::de::Error::custom)
    }
}

/// Somebody whose claims are not for everybody.
#[derive(Debug, JwtClaims)]
#[claims(crate = ::gatehouse)]
pub struct Patient<N>
where
    N: Clone + std::fmt::Display + std::str::FromStr,
{
    /// Who.
    #[claim(sub)]
    pub number: N,
    /// What they have.
    #[claim(confidential)]
    pub diagnosis: String,
}

/// Chief editors who signed in lately.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(crate = ::gatehouse, role = Role::ChiefEditor, max_age = "5m")]
pub struct FreshChief;

/// Who may write.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(crate = ::gatehouse, any(role = Role::ChiefEditor, all(role = Role::Editor, scope = Scope::Write)), not(role = Role::Guest))]
pub struct Writers;

/// Who pays, and proved it well.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(crate = ::gatehouse, user = User, claim(plan = Plan::Pro), claim(visits = 3), not(claim(nickname = "ada")))]
#[policy(any(acr = "gold", acr = "silver"), consistency = bounded("2s"))]
pub struct Customers;

/// Every signed-in user; the store is asked each time.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(crate = ::gatehouse, consistency = strict)]
pub struct Watched;

/// Users in memory.
#[auth_backend(
    email,
    user = User,
    crate = ::gatehouse,
    prefix = "/session",
    tag = "session",
    openapi = false,
    signin(path = "/in", summary = "Signs in", description = "By address and password."),
    refresh(path = "/renew", summary = "Renews"),
    disable(revoke, signout_all),
    names(access_token = "token", refresh_token = "renewal")
)]
#[derive(Debug)]
pub struct Accounts {
    /// The only one.
    pub user: Option<User>,
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User, AuthError> {
        self.user.clone().filter(|user| user.email_address == login.email).ok_or(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, subject: &u64, _: &Client) -> Result<User, AuthError> {
        self.user.clone().filter(|user| user.id == *subject).ok_or(AuthError::Gone)
    }
}

/// Users by name, whose claims stay those of their sign-in.
#[auth_backend(username, user = User, crate = gatehouse, refresh(from = stored))]
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl Authenticate for Names {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

/// The body of a sign-in at the door.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Badge<T> {
    /// Its number.
    pub number: T,
}

/// A door.
#[auth_backend(login = Badge<u64>, user = Patient<u64>, crate = ::gatehouse)]
#[derive(Clone, Copy, Debug)]
pub struct Door<T: Send + Sync + 'static>(
    /// Whatever it needs.
    pub T,
);

impl<T: Send + Sync + 'static> Authenticate for Door<T> {
    async fn authenticate(&self, badge: Badge<u64>, _: &Client) -> Result<Patient<u64>, AuthError> {
        Ok(Patient { number: badge.number, diagnosis: String::new() })
    }
}

impl<T: Send + Sync + 'static> Refresh for Door<T> {
    async fn refresh(&self, number: &u64, _: &Client) -> Result<Patient<u64>, AuthError> {
        Ok(Patient { number: *number, diagnosis: String::new() })
    }
}

async fn me(user: Auth<User>) -> Json<Identity> {
    Json(user.claims().clone())
}

async fn purge(_: Auth<User, FreshChief>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn write(_: Auth<User, Writers>, body: String) -> String {
    body
}

async fn offers(_: Option<Auth<User, Customers>>) {}

async fn account(user: Current<Accounts>, _: Auth<User, Watched>) -> String {
    user.nickname.clone().unwrap_or_default()
}

/// Every route.
pub fn routes() -> Router<Gate<Accounts>> {
    Router::new()
        .route("/me", get(me))
        .route("/purge", post(purge))
        .route("/write", post(write))
        .route("/offers", get(offers))
        .route("/account", get(account))
}
