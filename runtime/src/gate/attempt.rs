//! Counting attempts: where a gate asks its throttle. Without the feature `rate-limit` everything
//! is allowed.

use crate::device::Client;
use crate::error::Refusal;
#[cfg(feature = "rate-limit")]
use crate::event::{Event, EventKind};

use super::{AuthBackend, Gate};

#[cfg(feature = "rate-limit")]
impl<B: AuthBackend> Gate<B> {
    /// Counts something that the application does for somebody without signing them in, before it
    /// is done: sends a letter, opens an account. `name` says what, `whom` for whom: an address, an
    /// identifier, in its one form.
    ///
    /// It is counted under the client's address with the sign-ins (`throttle.client`), and by
    /// `name` and `whom` under `throttle.action`, whether or not there is such an account.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`](crate::error::Code::TooManyRequests), and after how long to try
    /// again; `Unavailable` where the store cannot count.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::gate::AuthBackend;
    /// # use tollgate::prelude::*;
    /// async fn forgot<B: AuthBackend>(
    ///     gate: &Gate<B>,
    ///     email: &str,
    ///     client: &Client,
    /// ) -> Result<(), Refusal> {
    ///     let email = tollgate::gate::normalize_identifier(email);
    ///     gate.allow("forgot", &email, client).await?;
    ///     // … send the letter, if there is such an account
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    pub async fn allow(&self, name: &str, whom: &str, client: &Client) -> Result<(), Refusal> {
        self.0
            .throttle
            .action(name, whom, client, self.running().engine.time.now())
            .await
    }

    /// Counts a sign-in, before the backend is asked.
    pub(super) async fn count_sign_in(
        &self,
        identifier: Option<&str>,
        client: &Client,
    ) -> Result<(), Refusal> {
        self.0
            .throttle
            .sign_in(identifier, client, self.running().engine.time.now())
            .await
    }

    /// Counts an answer to a step.
    pub(super) async fn count_step(&self, subject: &str) -> Result<(), Refusal> {
        self.0
            .throttle
            .step(subject, self.running().engine.time.now())
            .await
    }

    /// Remembers a client who signed in.
    pub(super) async fn remember(&self, identifier: Option<&str>, client: &Client) {
        self.0
            .throttle
            .signed_in(identifier, client, self.running().engine.time.now())
            .await;
    }

    /// Counts a refresh.
    pub(super) fn count_refresh(&self, client: &Client) -> Result<(), Refusal> {
        self.0.throttle.refresh(client).inspect_err(|_| {
            let kind = EventKind::RefreshRefused(crate::event::RefreshRefusal::TooOften);
            self.running()
                .engine
                .events
                .emit(&Event::new(kind).ip(client.ip));
        })
    }

    /// Counts a question about a token.
    #[cfg(feature = "axum")]
    pub(crate) fn count_question(&self, client: &Client) -> Result<(), Refusal> {
        self.0.throttle.verify(client).inspect_err(|refusal| {
            self.running()
                .engine
                .events
                .emit(&Event::new(EventKind::AccessRefused(refusal.code())).ip(client.ip));
        })
    }
}

#[cfg(not(feature = "rate-limit"))]
#[allow(
    clippy::unused_self,
    clippy::unused_async,
    reason = "the same calls with and without the feature"
)]
impl<B: AuthBackend> Gate<B> {
    pub(super) async fn count_sign_in(&self, _: Option<&str>, _: &Client) -> Result<(), Refusal> {
        Ok(())
    }

    pub(super) async fn count_step(&self, _: &str) -> Result<(), Refusal> {
        Ok(())
    }

    pub(super) async fn remember(&self, _: Option<&str>, _: &Client) {}

    pub(super) fn count_refresh(&self, _: &Client) -> Result<(), Refusal> {
        Ok(())
    }

    #[cfg(feature = "axum")]
    pub(crate) fn count_question(&self, _: &Client) -> Result<(), Refusal> {
        Ok(())
    }
}
