//! Expansions say nothing under the strictest lints.
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::missing_docs_in_private_items,
    clippy::same_name_method,
    clippy::trait_duplication_in_bounds,
    rust_2018_idioms,
    unused_qualifications
)]
#![deny(
    elided_lifetimes_in_paths,
    missing_debug_implementations,
    missing_copy_implementations,
    single_use_lifetimes
)]

use tollgate::device::Client;
use tollgate::error::AuthError;
use tollgate::gate::{Authenticate, EmailLogin, Refresh};
use tollgate::{ClaimValue, JwtClaims, Policy, auth_backend};

/// Roles.
#[derive(Clone, Copy, Debug, ClaimValue)]
pub enum Role {
    /// All.
    Admin,
    /// Some.
    Editor,
}

/// Scopes, with the functions of a text.
#[derive(Clone, Copy, Debug, ClaimValue)]
#[claim_value(text)]
pub enum Scope {
    /// Write.
    #[claim_value(rename = "notes:write")]
    Write,
}

/// A user.
#[derive(Debug, JwtClaims)]
#[claims(rename_all = "camelCase", namespace = "https://example.com/")]
pub struct User {
    /// Who.
    #[claim(sub)]
    pub id: u64,
    /// Where.
    pub email_address: String,
    /// What they may do.
    #[claim(roles)]
    roles: Vec<Role>,
    /// What the token may do.
    #[claim(scope)]
    scope: Vec<Scope>,
    /// How often.
    #[claim(default)]
    visits: u32,
    /// What friends say.
    nickname: Option<String>,
    /// Called as a function of a trait is.
    subject: Option<String>,
    /// The same.
    pub place: Option<String>,
    /// The same.
    write: bool,
    /// A number that everybody knows.
    #[claim(expose)]
    pin: u16,
    /// What only the gate reads.
    #[claim(confidential)]
    diagnosis: Option<String>,
    /// Not in the token.
    #[claim(skip)]
    pub password_hash: String,
}

/// A user whose parameter has the bounds that claims need, too.
#[derive(Debug, JwtClaims)]
pub struct Tagged<T: std::fmt::Debug + Send + Sync + 'static> {
    /// The number.
    #[claim(sub)]
    pub id: u64,
    /// Not in the token.
    #[claim(skip)]
    pub tag: T,
}

/// Writes.
#[derive(Debug, Clone, Copy, Policy)]
#[policy(scope = Scope::Write, any(role = Role::Admin, all(role = Role::Editor, max_age = "1h")), not(role = Role::Admin))]
pub struct Writers;

/// Known to the bank.
#[derive(Debug, Clone, Copy, Policy)]
#[policy(user = User, claim(email_address = "ada@example.com"), claim(visits = 3), not(claim(nickname = "ada")))]
#[policy(any(acr = "gold", acr = "silver", claim(diagnosis = "none")), consistency = strict)]
pub struct Known;

/// Watched.
#[derive(Debug, Clone, Copy, Policy)]
#[policy(consistency = bounded("2s"))]
pub struct Watched;

/// Accounts.
#[auth_backend(
    email,
    user = User,
    prefix = "/session",
    tag = "session",
    openapi = false,
    signin(path = "/in", summary = "in", description = "lets in"),
    refresh(path = "/renew", summary = "renew"),
    disable(revoke, signout_all),
    names(access_token = "token", refresh_token = "renewal")
)]
#[derive(Debug)]
pub struct Accounts {
    /// The only one.
    pub user: Option<User>,
}

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Gone)
    }
}

/// Starts nothing.
pub fn main() {
    let _ = Accounts { user: None }.gate();
}
