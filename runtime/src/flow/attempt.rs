//! Counts attempts with the throttle. Without the feature `rate-limit` everything is allowed.

use crate::device::Client;
use crate::error::Refusal;
#[cfg(feature = "rate-limit")]
use crate::event::{Event, EventKind};

use super::Flows;

#[cfg(feature = "rate-limit")]
impl Flows {
    /// Counts something that the application does for somebody: see `Gate::allow`.
    pub(crate) async fn allow(
        &self,
        name: &str,
        whom: &str,
        client: &Client,
    ) -> Result<(), Refusal> {
        self.throttle
            .action(name, whom, client, self.engine.time.now())
            .await
    }

    /// Counts a sign-in, before the backend is asked.
    pub(super) async fn count_sign_in(
        &self,
        identifier: Option<&str>,
        client: &Client,
    ) -> Result<(), Refusal> {
        self.throttle
            .sign_in(identifier, client, self.engine.time.now())
            .await
    }

    /// Counts an answer to a step.
    pub(super) async fn count_step(&self, subject: &str) -> Result<(), Refusal> {
        self.throttle.step(subject, self.engine.time.now()).await
    }

    /// Remembers a client who signed in.
    pub(super) async fn remember(&self, identifier: Option<&str>, client: &Client) {
        self.throttle
            .signed_in(identifier, client, self.engine.time.now())
            .await;
    }

    /// Counts a refresh.
    pub(super) fn count_refresh(&self, client: &Client) -> Result<(), Refusal> {
        self.throttle.refresh(client).inspect_err(|_| {
            let kind = EventKind::RefreshRefused(crate::event::RefreshRefusal::TooOften);
            self.engine.events.emit(&Event::new(kind).ip(client.ip));
        })
    }

    /// Counts a question about a token.
    #[cfg(feature = "axum")]
    pub(crate) fn count_question(&self, client: &Client) -> Result<(), Refusal> {
        self.throttle.verify(client).inspect_err(|refusal| {
            self.engine
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
impl Flows {
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
