//! A backend as the flows see it: without the types of its logins, users and claims.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use crate::device::Client;
#[cfg(feature = "axum")]
use crate::error::Malformed;
use crate::error::{AuthError, Refusal, SignInStep};
use crate::session::{Admission, AnyClaims, Expiry};
use crate::token::TokenInfo;

use super::answer::StepAnswer;

/// The pending answer of a backend: the one box of a callback.
pub(crate) type Callback<'a, T> = Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send + 'a>>;

/// A login of the backend's own type.
pub(crate) type BoxedLogin = Box<dyn Any + Send>;

/// The claims of a user.
pub(crate) type BoxedClaims = Box<dyn AnyClaims>;

/// A backend without its types.
pub(crate) trait Backend: Send + Sync {
    /// Returns whether the claims of sign-in are kept with the session.
    fn keeps_claims(&self) -> bool;

    /// Reads a login from a JSON body; the error says what is wrong with the body.
    #[cfg(feature = "axum")]
    fn parse_login(&self, body: &[u8]) -> Result<BoxedLogin, Malformed>;

    /// Returns the text that names the account in a login, if it has one.
    fn identifier(&self, login: &BoxedLogin) -> Option<String>;

    /// Asks the backend for the user of a login; returns the claims of that user.
    fn sign_in<'a>(&'a self, login: BoxedLogin, client: &'a Client) -> Callback<'a, BoxedClaims>;

    /// Passes the answer to a step to the backend; returns the claims of the step's user.
    fn step<'a>(
        &'a self,
        step: &'a SignInStep,
        answer: &'a StepAnswer,
        client: &'a Client,
    ) -> Callback<'a, BoxedClaims>;

    /// Asks for the claims of a subject as they are today; `stored` is what the session kept.
    fn renew<'a>(
        &'a self,
        subject: &'a str,
        stored: Option<Vec<u8>>,
        client: &'a Client,
    ) -> Callback<'a, BoxedClaims>;

    /// Verifies an access token of the backend's users. Revocations are not looked at.
    fn recognise(
        &self,
        admission: &Admission,
        token: &str,
        expiry: Expiry,
    ) -> Result<TokenInfo, Refusal>;

    /// Verifies an access token and returns its own claims too.
    #[cfg(feature = "axum")]
    fn recognise_claims(&self, admission: &Admission, token: &str) -> Result<TokenClaims, Refusal>;

    /// Returns the members of the login for the OpenAPI document; `None` if they are not known.
    #[cfg(feature = "openapi")]
    fn login_members(&self) -> Option<Vec<LoginMember>>;

    /// Returns the members that the backend adds to answers; `None` if it adds none.
    #[cfg(feature = "openapi")]
    fn answer_members(&self) -> Option<AnswerMembers> {
        None
    }
}

/// The members that a backend adds to answers.
#[cfg(feature = "openapi")]
pub(crate) struct AnswerMembers {
    /// The members; empty if serde does not reveal them.
    pub(crate) members: Vec<LoginMember>,
    /// `true` if the answer of a refresh has them too.
    pub(crate) on_refresh: bool,
}

/// A member of a login, or of the answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginMember {
    pub(crate) name: &'static str,
    pub(crate) holds: LoginValue,
    /// `true` if it must be there.
    pub(crate) is_required: bool,
    /// `true` if it may be null.
    pub(crate) is_nullable: bool,
}

/// The type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginValue {
    Text,
    Password,
    Integer,
    Number,
    Bool,
    /// One of these words.
    Word(&'static [&'static str]),
    List,
    Object,
    /// A type that serde does not reveal.
    Any,
}

/// The contents of an access token.
#[cfg(feature = "axum")]
pub(crate) struct TokenClaims {
    pub(crate) token: TokenInfo,
    /// The user's own claims; `None` if a claim is confidential.
    pub(crate) claims: Option<serde_json::Value>,
}

/// Returns the error for a login of another type than the backend's. It cannot happen: the same
/// backend makes the logins and takes them.
pub(crate) fn wrong_login() -> AuthError {
    AuthError::unavailable("a login of another backend")
}
