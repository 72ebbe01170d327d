//! Counts attempts with the throttle.

use crate::device::Client;
use crate::error::Refusal;
use crate::event::{Event, EventKind};
use crate::throttle::{Account, StepAttempt};

use super::Flows;

impl Flows {
    /// Counts an action that the application takes for a client: see `Gate::allow`.
    #[cfg(feature = "rate-limit")]
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

    /// Counts an answer to a step, before the backend is asked.
    pub(super) async fn count_step(
        &self,
        attempt: &StepAttempt<'_>,
        client: &Client,
    ) -> Result<(), Refusal> {
        self.throttle
            .step(attempt, client, self.engine.time.now())
            .await
    }

    /// Remembers the device of a client who signed in.
    pub(super) async fn remember(&self, account: Account<'_>, client: &Client) {
        self.throttle
            .signed_in(account, client, self.engine.time.now())
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
