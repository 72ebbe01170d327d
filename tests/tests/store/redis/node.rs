//! The nodes of one deployment on Redis: applications on the same keys, users and clock.

use std::ops::Deref;
use std::time::{Duration, Instant};

use serde_json::json;
use tollgate::clock::Clock;
use tollgate::error::Error;
use tollgate::prelude::*;
use tollgate::store::Store;
use tollgate_tests::{Accounts, Answer, App, START};

/// The users, clock and keys that the nodes of a deployment share beside their store.
pub(crate) struct Deployment {
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    ring: KeyRing,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Accounts::seeded(),
            clock: Clock::manual(START),
            ring: KeyRing::generate(Algorithm::EdDSA).unwrap(),
        }
    }

    /// Starts a node, throttled as the settings say.
    pub(crate) async fn node(
        &self,
        store: impl Into<Store>,
        settings: Settings,
    ) -> Result<Node, Error> {
        let app = App::builder()
            .accounts(&self.accounts)
            .keys(&self.ring)
            .clock(&self.clock)
            .store(store)
            .throttle(settings.throttle.clone())
            .settings(settings)
            .change(tollgate::gate::GateBuilder::accept_new_keys);
        app.try_build().await.map(Node)
    }
}

/// A node of a deployment.
#[derive(Clone)]
pub(crate) struct Node(App);

impl Deref for Node {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl Node {
    pub(crate) async fn sign_out(&self, refresh_token: &str) -> Answer {
        self.post("/auth/signout", json!({ "refresh_token": refresh_token }))
            .await
    }

    /// Returns the status of a request with an access token.
    pub(crate) async fn admits(&self, access_token: &str) -> u16 {
        self.get("/me", access_token).await.status.as_u16()
    }

    /// Waits until a request with an access token has this status, and returns after how long.
    pub(crate) async fn until(&self, access_token: &str, status: u16) -> Duration {
        let start = Instant::now();
        while self.admits(access_token).await != status {
            assert!(
                start.elapsed().as_secs() < 10,
                "{} instead of {status}",
                self.admits(access_token).await
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        start.elapsed()
    }
}
