//! An application of the tests: a gate with its routes, called in process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Json;
use axum::routing::get;
use http::{Method, Request};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::settings::ThrottleSettings;
use tollgate::store::Store;
use tower::ServiceExt as _;

use crate::{
    Accounts, Admins, Answer, FreshAdmins, PASSWORD, START, StrictAdmins, Tokens, User, Writers,
    request,
};

/// A builder with everything but a store and keys of its own choice.
pub async fn gate(accounts: Accounts, store: impl Into<Store>, clock: Clock) -> Gate<Accounts> {
    gate_with(accounts, store, clock, Settings::default()).await
}

/// The same with settings.
pub async fn gate_with(
    accounts: Accounts,
    store: impl Into<Store>,
    clock: Clock,
    settings: Settings,
) -> Gate<Accounts> {
    let (builder, _) = tollgate::testing::ready(accounts.gate()).unwrap();
    // Nothing is throttled unless a test says how.
    let throttle =
        Some(settings.throttle.clone()).filter(|throttle| *throttle != ThrottleSettings::default());
    let builder = builder.throttle(throttle.unwrap_or_else(ThrottleSettings::off));
    builder
        .settings(settings)
        .store(store)
        .clock(clock)
        .build()
        .await
        .unwrap()
}

/// An application on a gate, called in process.
#[derive(Clone)]
pub struct App {
    /// Its users.
    pub accounts: Accounts,
    /// Its gate.
    pub gate: Gate<Accounts>,
    /// Its clock.
    pub clock: Clock,
    router: Router,
}

impl App {
    /// On a store in memory, with default settings.
    pub async fn new() -> Self {
        Self::on(tollgate::store::MemoryStore::new(), Settings::default()).await
    }

    /// On a store in memory.
    pub async fn with(settings: Settings) -> Self {
        Self::on(tollgate::store::MemoryStore::new(), settings).await
    }

    /// On any store.
    pub async fn on(store: impl Into<Store>, settings: Settings) -> Self {
        let (accounts, clock) = (Accounts::seeded(), Clock::manual(START));
        let gate = gate_with(accounts.clone(), store, clock.clone(), settings).await;
        Self {
            router: routes(&gate),
            accounts,
            gate,
            clock,
        }
    }

    /// Other users on a gate of their own, by the same clock.
    #[must_use]
    pub fn on_gate(&self, accounts: Accounts, gate: Gate<Accounts>) -> Self {
        Self {
            router: routes(&gate),
            accounts,
            gate,
            clock: self.clock.clone(),
        }
    }

    /// The same users, gate and clock behind other routes.
    #[must_use]
    pub fn serving(&self, router: Router) -> Self {
        Self {
            router,
            ..self.clone()
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// `GET`, with a bearer.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, Some(token), None))
            .await
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, None, Some(body)))
            .await
    }

    /// `POST` of a JSON body, with a bearer.
    pub async fn post_as(&self, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(request(Method::POST, path, Some(token), body))
            .await
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str) -> Tokens {
        self.post(
            "/auth/signin",
            json!({ "email": email, "password": PASSWORD }),
        )
        .await
        .tokens()
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh-access", json!({ "refresh_token": token }))
            .await
    }

    /// Moves the clock.
    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets the task run that writes confirmations.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

/// The routes of the tests' application.
pub fn routes(gate: &Gate<Accounts>) -> Router {
    let app = Router::new()
        .route(
            "/me",
            get(async |auth: Auth<User>| Json(auth.claims().clone())),
        )
        .route("/admin", get(async |_: Auth<User, Admins>| "in"))
        .route("/strict", get(async |_: Auth<User, StrictAdmins>| "in"))
        .route("/fresh", get(async |_: Auth<User, FreshAdmins>| "in"))
        .route("/write", get(async |_: Auth<User, Writers>| "in"))
        .route(
            "/maybe",
            get(async |auth: Option<Auth<User>>| {
                auth.map_or_else(|| "nobody".into(), |a| a.subject().to_string())
            }),
        )
        .route(
            "/current",
            get(async |user: Current<Accounts>| user.email.clone()),
        )
        .merge(
            Router::new()
                .route("/guarded", get(async || "in"))
                .route_layer(gate.require::<Admins>()),
        );
    gate.install(app).with_state(gate.clone())
}
