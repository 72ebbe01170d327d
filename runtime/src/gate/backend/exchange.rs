//! Signing in with the token of another issuer: the gate exchanges it for a pair of its own tokens.

use std::fmt;
use std::future::Future;

use serde::Deserialize;

use super::{AuthBackend, SignIn};
use crate::device::Client;
use crate::error::{AuthError, Code};
use crate::guard::{Context, GuardRouter};
use crate::token::{JwtClaims, Verified};

/// Signs in users for whom another issuer vouches: for a backend with `#[auth_backend(guard, …)]`.
///
/// Issuer and subject together identify the user: [`identity`](crate::token::TokenInfo::identity).
/// Never use the email address, which another issuer may give to somebody else, or does not check
/// (OpenID Connect Core section 5.7, OWASP ASVS 5.0 10.5.2).
///
/// ```
/// use tollgate::guard::GuardRouter;
/// use tollgate::prelude::*;
/// use tollgate::token::Verified;
/// # use std::collections::HashMap;
///
/// #[derive(Clone, JwtClaims)]
/// #[claims(external)]
/// struct Customer {
///     #[claim(sub)]
///     id: String,
///     name: Option<String>,
/// }
///
/// #[derive(Clone, JwtClaims)]
/// struct User {
///     #[claim(sub)]
///     id: u64,
/// }
///
/// #[auth_backend(guard, user = User, refresh(from = stored))]
/// struct Accounts {
///     guards: GuardRouter<Customer>,
///     users: HashMap<(String, String), u64>,
/// }
///
/// impl Exchange for Accounts {
///     type External = Customer;
///
///     fn guards(&self) -> &GuardRouter<Customer> {
///         &self.guards
///     }
///
///     async fn exchange(
///         &self,
///         customer: &Verified<CustomerClaims>,
///         _: &Client,
///     ) -> Result<User, AuthError> {
///         let (issuer, subject) = customer.token().identity();
///         let id = self
///             .users
///             .get(&(issuer.to_owned(), subject.to_owned()))
///             .ok_or(AuthError::Invalid)?;
///         Ok(User { id: *id })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whom a token of another issuer is about",
    label = "`Exchange` is missing for `{Self}`",
    note = "write `impl Exchange for {Self}` with `type External`, `fn guards(&self)` and `async \
            fn exchange(&self, token: &Verified<…>, client: &Client) -> Result<Self::User, \
            AuthError>`"
)]
pub trait Exchange: AuthBackend<Login = GuardLogin> {
    /// The type whose claims the other issuers' tokens carry.
    type External: JwtClaims;

    /// The guards that verify them: for ID tokens, with
    /// [`TokenKind::IdToken`](crate::guard::TokenKind::IdToken).
    fn guards(&self) -> &GuardRouter<Self::External>;

    /// Finds the user of a token that was verified, or creates one. For a user that you do not
    /// know, return [`AuthError::Invalid`].
    fn exchange(
        &self,
        token: &Verified<<Self::External as JwtClaims>::Claims>,
        client: &Client,
    ) -> impl Future<Output = Result<Self::User, AuthError>> + Send;
}

/// The users sign in through [`Exchange`].
#[derive(Clone, Copy, Debug)]
pub struct Exchanged;

// Not `do_not_recommend`, so that rustc says that `Exchange` is missing.
impl<B: Exchange> SignIn<B> for Exchanged {
    async fn sign_in(
        backend: &B,
        login: GuardLogin,
        client: &Client,
    ) -> Result<B::User, AuthError> {
        let guards = backend.guards();
        let verified = guards
            .verify(&login.token, &Context::none())
            .await
            .map_err(|refusal| match refusal.code() {
                Code::Unavailable => AuthError::Refused(refusal),
                _ => AuthError::Invalid,
            })?;
        if !guards.is_bound_to(verified.token(), login.nonce.as_deref()) {
            return Err(AuthError::Invalid);
        }
        backend.exchange(&verified, client).await
    }
}

/// The body of a sign-in with a token of another issuer.
#[derive(Clone, Deserialize)]
pub struct GuardLogin {
    /// The token: an ID token, where the guard takes those.
    pub token: String,
    /// The value that the client sent when it asked for the token, if it sent one: `nonce`
    /// (OpenID Connect Core section 3.1.2.1). A token with a nonce is accepted only with it, and a
    /// token without one only without.
    pub nonce: Option<String>,
}

impl fmt::Debug for GuardLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardLogin")
    }
}
