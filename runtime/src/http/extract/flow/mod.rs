//! A request as its gate sees it, for handlers that sign users in or out themselves.

mod open;

use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;

use crate::device::{Client, Transport};
use crate::error::{Code, Refusal, SignInStep};
use crate::flow::Begun;
#[cfg(feature = "rate-limit")]
use crate::gate::normalize_identifier;
use crate::gate::{AuthBackend, EndSessions, Gate, SessionList, accompanied};
#[cfg(feature = "postgres")]
use crate::store::ProgramTransaction;
use crate::store::{Authenticated, Revoked};
use crate::token::JwtClaims;

#[cfg(feature = "cookies")]
use super::super::leave::{self, Leave, Returned};
use super::super::next::safe_next_of;
use super::super::problem::Rejection;
use super::super::transport::{check_origin, closed, transport_of};
use super::{Credentials, HoldsGate};

pub use open::OpenSession;

#[doc = include_str!("../../../docs/flow.md")]
pub struct AuthFlow<B: AuthBackend> {
    gate: Gate<B>,
    seen: Box<Seen>,
}

/// The parts of its request that a flow keeps.
struct Seen {
    client: Client,
    begun: Begun,
    credentials: Credentials,
    /// `true` if requests of this method change nothing.
    is_safe: bool,
}

impl<B: AuthBackend> AuthFlow<B> {
    /// Returns the gate.
    #[must_use]
    pub fn gate(&self) -> &Gate<B> {
        &self.gate
    }

    /// Returns the sender of the request, as far as the request describes it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.seen.client
    }

    /// Returns the same for changes: to add the name and the id of the device from the body.
    #[must_use]
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.seen.client
    }

    /// Returns the way in which the tokens of this request's answer travel.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.seen.client.transport
    }

    /// Counts an action for a client before it is done: see [`Gate::allow`]. `name` names the
    /// action, and has a budget of its own; `whom` is an address or an identifier, which is counted
    /// in its [normal form](crate::gate::normalize_identifier).
    ///
    /// # Errors
    /// [`Code::TooManyRequests`], and after how long to try again; [`Code::Unavailable`] if the
    /// store cannot count.
    #[cfg(feature = "rate-limit")]
    pub async fn allow(&self, name: &str, whom: &str) -> Result<Allowed, Rejection> {
        let whom = normalize_identifier(whom);
        let counted = self.gate.allow(name, &whom, &self.seen.client).await;
        counted.map_err(|refusal| self.gate.reject(refusal))?;
        Ok(Allowed { whom: Some(whom) })
    }

    #[cfg(not(feature = "rate-limit"))]
    #[doc(hidden)]
    pub fn allow(&self, _name: &str, _whom: &str) -> std::future::Ready<Result<Allowed, Rejection>>
    where
        for<'a> crate::error::absent::Off: crate::error::absent::NeedsRateLimit,
    {
        unreachable!("nothing implements the bound")
    }

    /// Ends sessions because the credentials of a user changed: see [`Gate::credentials_changed`].
    /// The session that this flow opens afterwards takes this change into account; it is refused if
    /// the user is changed once more before it opens. Without this call, a session of a user who
    /// changed within the last second is refused (503).
    ///
    /// # Errors
    /// The store cannot be written to, and no session ended (503).
    ///
    /// # Examples
    /// A reset that signs in:
    /// ```
    /// # use tollgate::action::{ActionToken, PasswordReset, Proof};
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User)] struct Accounts;
    /// # impl Accounts {
    /// #     async fn set(&self, _: &Proof<PasswordReset, u64>, _: &Password) -> Result<User, AuthError> {
    /// #         Err(AuthError::Gone)
    /// #     }
    /// # }
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Invalid)
    /// #     }
    /// # }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Gone)
    /// #     }
    /// # }
    /// async fn reset(
    ///     mut flow: AuthFlow<Accounts>,
    ///     token: ActionToken<PasswordReset>,
    ///     chosen: Password,
    /// ) -> Result<SignedIn, Rejection> {
    ///     let proof = token.consume(flow.gate()).await?;
    ///     let user = flow.gate().backend().set(&proof, &chosen).await?;
    ///     flow.credentials_changed(proof.subject(), EndSessions::All).await?;
    ///     flow.open(Allowed::uncounted("the token counts once"), &user).await
    /// }
    /// # fn main() {}
    /// ```
    pub async fn credentials_changed(
        &mut self,
        subject: &<B::User as JwtClaims>::Subject,
        sessions: EndSessions,
    ) -> Result<Revoked, Rejection> {
        let changed = self.gate.credentials_changed_at(subject, sessions).await;
        let (revoked, at) = changed?;
        self.seen.begun.authenticated = Authenticated::After(at);
        Ok(revoked)
    }

    /// Opens a session for a user whom the handler authenticated, and ends those that the cookies
    /// of this request present. A bearer token of the request is ignored.
    ///
    /// On a `GET`, which a link of another site can cause too, it answers 500, unless the browser
    /// [returned](Self::returned) from a service.
    pub fn open(self, allowed: Allowed, user: &B::User) -> OpenSession {
        let claims = accompanied::<B>(self.gate.backend(), user, &self.seen.client);
        let claims = claims.map_err(|error| error.into_refusal(Code::InternalError));
        OpenSession::new(self, allowed, claims)
    }

    /// Opens a session in a transaction of the program. It takes the transaction, and commits it
    /// before a token is made: the user and their first session are written together, or neither
    /// is. The store is a [`PostgresStore`](crate::store::PostgresStore) in the database of the
    /// transaction, which is `READ COMMITTED`.
    ///
    /// If the session is not opened, or the commit fails (503), nothing of the transaction is kept,
    /// and the client gets no token.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::extract::{AuthFlow, SignedIn};
    /// # use tollgate::gate::AuthBackend;
    /// # use tollgate::prelude::*;
    /// # async fn insert<B: AuthBackend>(
    /// #     _: &Gate<B>,
    /// #     _: &mut sqlx::Transaction<'static, sqlx::Postgres>,
    /// #     _: &str,
    /// # ) -> Result<B::User, sqlx::Error> { Err(sqlx::Error::RowNotFound) }
    /// async fn register<B: AuthBackend>(
    ///     flow: AuthFlow<B>,
    ///     db: sqlx::PgPool,
    ///     email: String,
    /// ) -> Result<SignedIn, Rejection> {
    ///     let allowed = flow.allow("register", &email).await?;
    ///     let mut transaction = db.begin().await?;
    ///     let user = insert(flow.gate(), &mut transaction, &email).await?;
    ///     flow.open_in(transaction, allowed, &user).await
    /// }
    /// # fn main() {}
    /// ```
    #[cfg(feature = "postgres")]
    pub fn open_in(
        self,
        transaction: ProgramTransaction<'static>,
        allowed: Allowed,
        user: &B::User,
    ) -> OpenSession {
        self.open(allowed, user).within(transaction)
    }

    /// Asks for a further step before a session is opened: keeps the step and returns the answer,
    /// 401 with a token. The client continues at the gate's own route for steps.
    pub async fn step(self, allowed: Allowed, step: SignInStep) -> Rejection {
        let Seen { client, begun, .. } = &*self.seen;
        let flows = self.gate.running().flows();
        let refusal = flows.ask_for_step(step, client, *begun, allowed.whom).await;
        self.gate.reject(refusal)
    }

    /// Ends the session of this request and clears every cookie of the gate: 204.
    ///
    /// # Errors
    /// The request brings no credentials, or the store cannot be written to: nothing was cleared.
    pub async fn close(self) -> Result<Response, Rejection> {
        let gate = self.gate.running();
        let attempt = async {
            let credentials = &self.seen.credentials;
            if credentials.bearer.is_none() && !credentials.brings_cookies(gate) {
                return Err(Refusal::new(Code::MissingToken));
            }
            if let Some(bearer) = &credentials.bearer {
                gate.flows().sign_out_bearer(bearer).await?;
            }
            credentials.sign_out(gate, &self.seen.client).await
        };
        attempt.await.map_err(|refusal| gate.reject(refusal))?;
        Ok(closed(gate, StatusCode::NO_CONTENT.into_response()))
    }

    /// Returns the sessions: see [`Gate::sessions`].
    pub fn sessions(&self) -> SessionList<'_> {
        self.gate.sessions()
    }

    /// Prepares the redirect of the browser to another service. A random state goes along with the
    /// redirect, and stays in a cookie for ten minutes; `service` is a name by which
    /// [`returned`](Self::returned) checks it.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    #[cfg(feature = "cookies")]
    pub fn leave(&self, service: &str) -> Result<Leave, Rejection> {
        let gate = self.gate.running();
        Leave::new(gate, service).map_err(|refusal| gate.reject(refusal))
    }

    /// Checks that the browser was sent to this service from here: `state` is the value that the
    /// service returned.
    ///
    /// # Errors
    /// 403 `csrf`: it was not, or longer than ten minutes ago. 400: it has several states.
    #[cfg(feature = "cookies")]
    pub fn returned(&self, service: &str, state: &str) -> Result<Returned, Rejection> {
        let gate = self.gate.running();
        let cookies = self.seen.credentials.cookies();
        let returned = leave::returned(gate, cookies, service, state);
        returned.map_err(|refusal| gate.reject(refusal))
    }

    /// Returns `next` if it is a path of this origin outside the auth routes and the login page,
    /// and otherwise `/`: it is the address that a page asks to be sent to afterwards. Call it when the address is
    /// stored, and again when it is read.
    #[must_use]
    pub fn safe_next<'n>(&self, next: &'n str) -> &'n str {
        safe_next_of(self.gate.running(), next)
    }
}

impl<S, B> FromRequestParts<S> for AuthFlow<B>
where
    S: Send + Sync + HoldsGate<B>,
    B: AuthBackend,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let gate = HoldsGate::<B>::gate(state);
        let seen = Seen::of(parts, &gate).map_err(|refusal| gate.reject(refusal))?;
        Ok(Self {
            gate,
            seen: Box::new(seen),
        })
    }
}

impl Seen {
    fn of<B: AuthBackend>(parts: &Parts, gate: &Gate<B>) -> Result<Self, Refusal> {
        let gate = gate.running();
        let Parts {
            method,
            uri,
            headers,
            extensions,
            ..
        } = parts;
        let begun = gate.flows().begin_request();
        let credentials = Credentials::of(parts, gate)?;
        check_origin(gate, (method, uri), headers, extensions)?;
        let mut client = gate.client(parts);
        client.transport = transport_of(gate, headers, credentials.cookies())?;
        Ok(Self {
            client,
            begun,
            credentials,
            is_safe: method.is_safe(),
        })
    }
}

impl<B: AuthBackend> fmt::Debug for AuthFlow<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFlow")
            .field("transport", &self.transport())
            .finish_non_exhaustive()
    }
}

/// The permission to open a session: the attempt was counted, or the handler says why it need not
/// be.
#[derive(Debug)]
pub struct Allowed {
    /// The identifier that was counted, in its normal form.
    whom: Option<String>,
}

impl Allowed {
    /// Gives permission without a count. The reason is for the reader of the code: for example, a
    /// provider counts, or the user holds a proof that is accepted once.
    #[must_use]
    pub fn uncounted(_why: &'static str) -> Self {
        Self { whom: None }
    }
}
