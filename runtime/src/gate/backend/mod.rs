//! The traits of a backend: it signs users in, and says which of them may stay signed in.

mod answer;
mod exchange;
mod logins;
mod members;
#[cfg(feature = "axum")]
mod parse;
mod routes;
mod shell;

pub(super) use answer::check_answer;
#[doc(hidden)]
pub use answer::{AddedMembers, AnswerForm};
pub use answer::{Answer, Answering};
#[cfg(feature = "axum")]
pub(crate) use answer::{accompanied, is_ours};
pub use exchange::{Exchange, Exchanged, GuardLogin};
pub use logins::{EmailLogin, UsernameLogin};
#[cfg(feature = "axum")]
pub(crate) use parse::parse_body;
pub use routes::{AuthRoute, Package, RouteConfig, RouteOptions};
pub(super) use shell::Shell;

use std::any::Any;
use std::future::Future;

use serde::de::DeserializeOwned;

use super::StepAnswer;
use crate::device::Client;
use crate::error::{AuthError, SignInStep};
use crate::token::{ClaimSet as _, JwtClaims};

/// A backend, as `#[auth_backend(…)]` describes it. Implement [`Authenticate`] and [`Refresh`] by
/// hand, never this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an auth backend",
    label = "this type has no `#[auth_backend(…)]`",
    note = "put `#[auth_backend(email, user = User)]` on `struct {Self}`; `Gate<…>` and `Current<…>` \
            name the backend, and not its users: `Current<Accounts>`"
)]
pub trait AuthBackend: Sized + Send + Sync + 'static {
    /// The user type, which derives [`JwtClaims`].
    type User: JwtClaims;
    /// The body of a sign-in, beside `device_name` and `device_id`.
    type Login: DeserializeOwned + Send + 'static;
    /// The way in which users sign in.
    type Entry: SignIn<Self>;
    /// The source of the claims of a refresh.
    type Renewal: Renew<Self>;
    /// The name of this kind of users in the store, which tells gates of one store apart:
    /// `kind = "…"`, and otherwise the name of the struct as it is written.
    const KIND: &'static str;
    /// Paths, names and presence of the routes.
    const ROUTES: RouteConfig;
    /// The former name of [`ROUTES`](Self::ROUTES).
    #[deprecated(since = "0.1.0", note = "use `ROUTES`")]
    const SHAPE: RouteConfig = Self::ROUTES;
}

/// Signs users in.
pub trait Authenticate: AuthBackend {
    /// Finds the user of a login. Return [`AuthError::Invalid`] both for an unknown user and for a
    /// wrong password; look the user up first, then hash in either case.
    fn authenticate(
        &self,
        login: Self::Login,
        client: &Client,
    ) -> impl Future<Output = Result<Self::User, AuthError>> + Send;

    /// Checks the answer to a step that [`authenticate`](Self::authenticate), or this method, asked
    /// for with [`AuthError::More`], and returns the user of `step.subject`, loaded again. For a
    /// wrong answer return [`AuthError::Invalid`]; the client may give three answers to a step,
    /// within five minutes. A code that was used once must not be accepted twice: the backend must
    /// remember it.
    fn step(
        &self,
        _step: &SignInStep,
        _answer: &StepAnswer,
        _client: &Client,
    ) -> impl Future<Output = Result<Self::User, AuthError>> + Send {
        std::future::ready(Err(AuthError::Invalid))
    }

    /// Returns the name of the account in a login, in its normal form: attempts are counted by it
    /// (feature `rate-limit`). [`EmailLogin`] and [`UsernameLogin`] have one; a login type of the
    /// application has none until you implement this, and is counted by the client's address alone.
    ///
    /// ```
    /// # use tollgate::gate::normalize_identifier;
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// #[derive(serde::Deserialize)]
    /// struct PhoneLogin { number: String, pin: Password }
    ///
    /// #[auth_backend(login = PhoneLogin, user = User)]
    /// struct Accounts;
    ///
    /// impl Authenticate for Accounts {
    ///     async fn authenticate(&self, login: PhoneLogin, _: &Client) -> Result<User, AuthError> {
    ///         # let _ = login.pin;
    ///         # Err(AuthError::Invalid)
    ///     }
    ///
    ///     fn identifier(&self, login: &PhoneLogin) -> Option<String> {
    ///         Some(normalize_identifier(&login.number))
    ///     }
    /// }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Gone)
    /// #     }
    /// # }
    /// ```
    fn identifier(&self, login: &Self::Login) -> Option<String> {
        let login: &dyn Any = login;
        let email = login
            .downcast_ref()
            .map(|login: &EmailLogin| login.email.clone());
        email.or_else(|| {
            login
                .downcast_ref()
                .map(|login: &UsernameLogin| login.username.clone())
        })
    }
}

/// Loads a user who is signed in already, with claims as they are today.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may stay signed in",
    label = "`Refresh` is missing for `{Self}`",
    note = "write `impl Refresh for {Self}` with `async fn refresh(&self, subject: &…, client: \
            &Client) -> Result<Self::User, AuthError>`"
)]
pub trait Refresh: AuthBackend {
    /// Loads the user. [`AuthError::Gone`] and [`AuthError::Disabled`] end the session.
    fn refresh(
        &self,
        subject: &<Self::User as JwtClaims>::Subject,
        client: &Client,
    ) -> impl Future<Output = Result<Self::User, AuthError>> + Send;
}

/// The way in which the users of `B` sign in. Implemented for [`Own`].
#[diagnostic::on_unimplemented(
    message = "`{B}` does not say how its users sign in",
    label = "`Authenticate` is missing for `{B}`",
    note = "write `impl Authenticate for {B}` with `async fn authenticate(&self, login: \
            Self::Login, client: &Client) -> Result<Self::User, AuthError>`",
    note = "a bound of the impl belongs in the attribute too: `impl<R: Repository> Authenticate for \
            Accounts<R>` goes with `#[auth_backend(…, bound(R: Repository))]`"
)]
pub trait SignIn<B: AuthBackend>: 'static {
    /// `true` if the answer of a refresh has the members that the backend adds.
    const ANSWERS_REFRESH: bool = false;

    /// Finds the user of a login.
    fn sign_in(
        backend: &B,
        login: B::Login,
        client: &Client,
    ) -> impl Future<Output = Result<B::User, AuthError>> + Send;

    /// Checks the answer to a step.
    fn step(
        _backend: &B,
        _step: &SignInStep,
        _answer: &StepAnswer,
        _client: &Client,
    ) -> impl Future<Output = Result<B::User, AuthError>> + Send {
        std::future::ready(Err(AuthError::Invalid))
    }

    /// Returns the name of the account, if the login has one.
    fn identifier(_backend: &B, _login: &B::Login) -> Option<String> {
        None
    }

    /// Returns the members that the backend adds to the answer for a user.
    #[doc(hidden)]
    fn own_members(_backend: &B, _user: &B::User, _client: &Client) -> Option<AddedMembers> {
        None
    }

    /// Returns what is known of these members; `None` if the backend adds none.
    #[doc(hidden)]
    fn answer_form() -> Option<AnswerForm> {
        None
    }
}

/// The users sign in through [`Authenticate`].
#[derive(Clone, Copy, Debug)]
pub struct Own;

#[diagnostic::do_not_recommend]
impl<B: Authenticate> SignIn<B> for Own {
    async fn sign_in(backend: &B, login: B::Login, client: &Client) -> Result<B::User, AuthError> {
        backend.authenticate(login, client).await
    }

    async fn step(
        backend: &B,
        step: &SignInStep,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<B::User, AuthError> {
        backend.step(step, answer, client).await
    }

    fn identifier(backend: &B, login: &B::Login) -> Option<String> {
        backend.identifier(login)
    }
}

/// The source of the claims of a refresh. Implemented for [`Reload`] and [`FromStored`].
#[diagnostic::on_unimplemented(
    message = "`{B}` does not say who may stay signed in",
    label = "`Refresh` is missing for `{B}`",
    note = "write `impl Refresh for {B}` with `async fn refresh(&self, subject: &…, client: \
            &Client) -> Result<Self::User, AuthError>`, or say `refresh(from = stored)` in \
            `#[auth_backend(…)]`",
    note = "a bound of the impl belongs in the attribute too: `impl<R: Repository> Refresh for \
            Accounts<R>` goes with `#[auth_backend(…, bound(R: Repository))]`"
)]
pub trait Renew<B: AuthBackend>: 'static {
    /// `true` if the claims of sign-in are kept with the session.
    const STORED: bool;

    /// Returns the claims for a subject; `stored` is what the session kept.
    fn renew(
        backend: &B,
        subject: &str,
        stored: Option<&[u8]>,
        client: &Client,
    ) -> impl Future<Output = Result<Loaded<B::User>, AuthError>> + Send;
}

/// The claims for a refresh.
pub struct Loaded<U: JwtClaims> {
    /// The claims.
    pub(super) claims: U::Claims,
    /// The user whose claims they are; `None` if no user was loaded.
    pub(super) user: Option<U>,
}

/// The claims are loaded through [`Refresh`].
#[derive(Clone, Copy, Debug)]
pub struct Reload;

#[diagnostic::do_not_recommend]
impl<B: Refresh> Renew<B> for Reload {
    const STORED: bool = false;

    async fn renew(
        backend: &B,
        subject: &str,
        _stored: Option<&[u8]>,
        client: &Client,
    ) -> Result<Loaded<B::User>, AuthError> {
        let subject =
            <B::User as JwtClaims>::Claims::parse_subject(subject).ok_or(AuthError::Gone)?;
        let user = backend.refresh(&subject, client).await?;
        Ok(Loaded {
            claims: user.to_claims(),
            user: Some(user),
        })
    }
}

/// The claims are those of sign-in, kept with the session: no `Refresh` is needed, and a closed
/// account is not noticed.
#[derive(Clone, Copy, Debug)]
pub struct FromStored;

impl<B: AuthBackend> Renew<B> for FromStored {
    const STORED: bool = true;

    async fn renew(
        _backend: &B,
        subject: &str,
        stored: Option<&[u8]>,
        _client: &Client,
    ) -> Result<Loaded<B::User>, AuthError> {
        let stored = stored.ok_or(AuthError::Gone)?;
        let claims = crate::token::read_stored(subject, stored).ok_or(AuthError::Gone)?;
        Ok(Loaded { claims, user: None })
    }
}

/// There are no refreshes: the route is disabled, and no `Refresh` is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NoRefresh;

#[diagnostic::do_not_recommend]
impl<B: AuthBackend> Renew<B> for NoRefresh {
    const STORED: bool = false;

    async fn renew(
        _backend: &B,
        _subject: &str,
        _stored: Option<&[u8]>,
        _client: &Client,
    ) -> Result<Loaded<B::User>, AuthError> {
        Err(AuthError::Gone)
    }
}
