//! Opens the session of a flow.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::Transport;
use crate::error::Refusal;
use crate::flow::{BoxedClaims, Stay, Transaction, Wish};
use crate::gate::{AuthBackend, Running};

use super::super::super::cookie::DeviceCookie;
#[cfg(feature = "cookies")]
use super::super::super::leave::Returned;
use super::super::super::problem::Rejection;
use super::super::super::signed_in::SignedIn;
use super::super::super::transport::{cookies, known_device, presented};
use super::{Allowed, AuthFlow, Seen};

/// A session that is about to be opened: `.await` opens it.
#[must_use = "nothing is opened until `.await`"]
pub struct OpenSession {
    gate: Arc<Running>,
    seen: Box<Seen>,
    allowed: Allowed,
    /// The claims of the user, or why the answer cannot be made.
    claims: Result<BoxedClaims, Refusal>,
    wish: Wish,
    has_returned: bool,
    transaction: Option<Transaction>,
}

impl OpenSession {
    pub(super) fn new<B: AuthBackend>(
        flow: AuthFlow<B>,
        allowed: Allowed,
        claims: Result<BoxedClaims, Refusal>,
    ) -> Self {
        Self {
            gate: Arc::clone(flow.gate.running()),
            seen: flow.seen,
            allowed,
            claims,
            wish: Wish::default(),
            has_returned: false,
            transaction: None,
        }
    }

    /// Opens it in a transaction of the program.
    #[cfg(feature = "postgres")]
    pub(super) fn within(mut self, transaction: Transaction) -> Self {
        self.transaction = Some(transaction);
        self
    }

    /// Sets the way in which the user was authenticated: the claim `acr` (OpenID Connect Core
    /// section 2), a word of the application's own. Renewing the session with a password alone
    /// removes it.
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.wish.acr = Some(acr.into());
        self
    }

    /// Sets the time at which the user was authenticated, if it was before this request: the
    /// `auth_time` of a provider. A time in the future is refused (401), and so is one so far back
    /// that a session opened then would have ended (401, with the greatest age that is accepted).
    pub const fn authenticated_at(mut self, at: Timestamp) -> Self {
        self.wish.auth_time = Some(at);
        self
    }

    /// Sets whether the client is to remember the session, as the box of a form asks. If not, its
    /// cookies end when the browser is closed, and the session ends as `session.brief_idle` and
    /// `session.brief_absolute` say.
    pub const fn remember(mut self, stays: bool) -> Self {
        self.wish.stay = if stays { Stay::Long } else { Stay::Brief };
        self
    }

    /// Sets the longest time for which the client is to remember the session: from a minute to
    /// `session.absolute`.
    pub const fn remember_for(mut self, span: Duration) -> Self {
        self.wish.stay = Stay::For(span);
        self
    }

    /// Opens it on a `GET` too, because the browser was sent to a service from here, and came back.
    #[cfg(feature = "cookies")]
    pub fn returning(mut self, returned: Returned) -> Self {
        drop(returned);
        self.has_returned = true;
        self
    }

    async fn open(self) -> Result<SignedIn, Rejection> {
        let gate = Arc::clone(&self.gate);
        self.try_open()
            .await
            .map_err(|refusal| gate.reject(refusal))
    }

    async fn try_open(self) -> Result<SignedIn, Refusal> {
        let gate = self.gate;
        let claims = self.claims?;
        let Seen {
            mut client,
            begun,
            credentials,
            is_safe,
        } = *self.seen;
        if is_safe && !self.has_returned {
            return Err(Refusal::internal(
                "a handler opened a session on a `GET`, which a link of any site makes: open it on \
                 a `POST`, or after `returned`",
            ));
        }
        let device = match client.transport {
            Transport::Cookie => Some(match known_device(&gate, credentials.cookies()) {
                Some(cookie) => cookie,
                None => DeviceCookie::random()?,
            }),
            Transport::Bearer => None,
        };
        client.next_cookie_mark = device.as_ref().map(DeviceCookie::mark);
        if cookies(&gate).is_some() {
            client.presented = presented(&gate, credentials.cookies()).await?;
        }
        let counted = self.allowed.whom.as_deref();
        let opened = gate
            .flows()
            .admit(
                &*claims,
                &client,
                begun,
                &self.wish,
                counted,
                self.transaction,
            )
            .await?;
        Ok(SignedIn::new(
            gate,
            opened,
            client.transport,
            device,
            self.has_returned,
        ))
    }
}

impl IntoFuture for OpenSession {
    type Output = Result<SignedIn, Rejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenSession")
    }
}
