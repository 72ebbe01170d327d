//! A node: a gate with its routes, on the keys, users and clock that its deployment's other nodes
//! have too.

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::store::Store;
use tollgate_tests::{Accounts, Answer, PASSWORD, START, Tokens, request, routes};
use tower::ServiceExt as _;

/// What the nodes of a deployment share beside their store.
pub(crate) struct Deployment {
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    ring: KeyRing,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
        Self {
            accounts: Accounts::seeded(),
            clock: Clock::manual(START),
            ring,
        }
    }

    /// A node that just started.
    pub(crate) async fn node(
        &self,
        store: impl Into<Store>,
        settings: Settings,
    ) -> Result<Node, tollgate::error::Error> {
        let gate = self
            .accounts
            .clone()
            .gate()
            .settings(settings)
            .issuer("https://accounts.example.com");
        let gate = gate
            .audience("https://api.example.com")
            .keys(self.ring.clone())
            .store(store)
            .clock(self.clock.clone());
        let gate = gate.accept_new_keys().build().await?;
        Ok(Node {
            router: routes(&gate),
            gate,
        })
    }
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) gate: Gate<Accounts>,
    router: Router,
}

impl Node {
    async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, Some(token), None))
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, None, Some(body)))
            .await
    }

    pub(crate) async fn sign_in(&self, email: &str) -> Tokens {
        self.post(
            "/auth/signin",
            json!({ "email": email, "password": PASSWORD }),
        )
        .await
        .tokens()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh-access", json!({ "refresh_token": token }))
            .await
    }

    pub(crate) async fn sign_out(&self, refresh_token: &str) -> Answer {
        self.post("/auth/signout", json!({ "refresh_token": refresh_token }))
            .await
    }

    /// The status of a request with an access token.
    pub(crate) async fn admits(&self, access_token: &str) -> u16 {
        self.get("/me", access_token).await.status.as_u16()
    }

    /// Waits until a request with an access token has this status; answers after how long.
    pub(crate) async fn until(&self, access_token: &str, status: u16) -> std::time::Duration {
        let start = std::time::Instant::now();
        while self.admits(access_token).await != status {
            assert!(
                start.elapsed().as_secs() < 10,
                "{} instead of {status}",
                self.admits(access_token).await
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        start.elapsed()
    }
}
