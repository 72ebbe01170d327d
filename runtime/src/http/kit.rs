//! Callers for tests of applications, made by a gate as for a request.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use axum::extract::FromRequestParts as _;

use super::extract::Auth;
use super::problem::Rejection;
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Refusal;
use crate::flow::Wish;
use crate::gate::{AuthBackend, Gate};
use crate::token::JwtClaims as _;

/// Makes the caller of a handler, to call the handler as a function. The gate makes it as for a
/// request: a session is opened, and a token is signed and verified.
///
/// ```
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
/// # #[auth_backend(email, user = User, refresh(from = stored))] struct Accounts;
/// # impl Authenticate for Accounts {
/// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
/// #         Err(AuthError::Invalid)
/// #     }
/// # }
/// #[derive(Policy)]
/// #[policy(acr = "urn:example:two-factors")]
/// struct TwoFactors;
///
/// async fn vault(user: Auth<User, TwoFactors>) -> String {
///     format!("the vault of {}", user.subject())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (builder, _clock) = tollgate::testing::ready(Accounts.gate())?;
/// let gate = builder.build().await?;
/// let auth = tollgate::testing::auth(&gate, User { id: 7 })
///     .acr("urn:example:two-factors")
///     .await
///     .and_then(Auth::proven)
///     .map_err(Rejection::into_refusal)?;
/// assert_eq!(vault(auth).await, "the vault of 7");
/// # Ok(())
/// # }
/// ```
pub fn auth<B: AuthBackend>(gate: &Gate<B>, user: B::User) -> TestCaller<B> {
    TestCaller {
        gate: gate.clone(),
        user,
        wish: Wish::default(),
    }
}

/// A caller that is about to be made: `.await` makes it.
#[must_use = "nobody is signed in until `.await`"]
pub struct TestCaller<B: AuthBackend> {
    gate: Gate<B>,
    user: B::User,
    wish: Wish,
}

impl<B: AuthBackend> TestCaller<B> {
    /// Sets the way in which the user was authenticated: the claim `acr`.
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.wish.acr = Some(acr.into());
        self
    }

    /// Sets the time at which the user was authenticated: the claim `auth_time`. By default it is
    /// the present.
    pub const fn auth_time(mut self, at: Timestamp) -> Self {
        self.wish.auth_time = Some(at);
        self
    }

    async fn make(self) -> Result<Auth<B::User>, Rejection> {
        let (running, claims) = (self.gate.running(), self.user.to_claims());
        let flows = running.flows();
        let (client, begun) = (Client::unknown(), flows.begin_request());
        let issued = flows
            .admit(&claims, &client, begun, &self.wish, None, None)
            .await;
        let issued = issued.map_err(|refusal| self.gate.reject(refusal))?;
        let header = &*running.settings().access.header;
        let request = http::Request::get("/")
            .header(
                header,
                format!("{} {}", running.scheme, issued.access_token),
            )
            .body(())
            .map_err(|error| self.gate.reject(Refusal::internal(error)))?;
        let (mut parts, ()) = request.into_parts();
        Auth::from_request_parts(&mut parts, &self.gate).await
    }
}

impl<B: AuthBackend> IntoFuture for TestCaller<B> {
    type Output = Result<Auth<B::User>, Rejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl<B: AuthBackend> fmt::Debug for TestCaller<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestCaller")
    }
}
