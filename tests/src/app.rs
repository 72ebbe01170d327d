//! An application of the tests: a gate with its routes, called in process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Json;
use axum::routing::get;
use http::{Method, Request};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::error::Error;
use tollgate::event::{Event, EventKind};
use tollgate::gate::{AuthBackend, GateBuilder, Plain, Protects};
use tollgate::prelude::*;
use tollgate::settings::ThrottleSettings;
use tollgate::store::Store;
use tollgate::testing::{ReadyBuilder, ready};
use tollgate::token::Issuable;
use tower::ServiceExt as _;

use crate::{
    Accounts, Admins, Answer, FreshAdmins, PASSWORD, START, StrictAdmins, Tokens, User, Writers,
    request,
};

/// An application on a gate, called in process.
#[derive(Clone)]
pub struct App<B: AuthBackend = Accounts> {
    /// The users of the application.
    pub accounts: B,
    /// The gate.
    pub gate: Gate<B>,
    /// The clock of the gate.
    pub clock: Clock,
    router: Router,
    heard: Heard,
}

/// The events of one or more applications that no test has taken yet.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    /// Takes the events since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn push(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl App {
    /// Builds an application on a store in memory, with default settings.
    pub async fn new() -> Self {
        Self::builder().build().await
    }

    /// Builds an application on a store in memory.
    pub async fn with(settings: Settings) -> Self {
        Self::builder().settings(settings).build().await
    }

    /// Builds an application on a store.
    pub async fn on(store: impl Into<Store>, settings: Settings) -> Self {
        Self::builder()
            .store(store)
            .settings(settings)
            .build()
            .await
    }

    /// Starts an application with the seeded users and the [`routes`] of the tests.
    pub fn builder() -> AppBuilder {
        AppBuilder::of(Accounts::seeded(), routes)
    }

    /// Signs in, and returns the tokens.
    pub async fn sign_in(&self, email: &str) -> Tokens {
        self.try_sign_in(email, PASSWORD).await.tokens()
    }
}

impl<B: AuthBackend + Clone> App<B> {
    /// Returns the same users, gate and clock behind other routes.
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

    /// Sends a `GET` with a bearer.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, Some(token), None))
            .await
    }

    /// Sends a `POST` of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, None, Some(body)))
            .await
    }

    /// Sends a `POST` of a JSON body, with a bearer.
    pub async fn post_as(&self, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(request(Method::POST, path, Some(token), body))
            .await
    }

    /// Tries to sign in.
    pub async fn try_sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(
            "/auth/signin",
            json!({ "email": email, "password": password }),
        )
        .await
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

    /// Takes the events since the last call.
    #[must_use]
    pub fn heard(&self) -> Vec<Event> {
        self.heard.take()
    }

    /// Takes the kinds of the events since the last call.
    #[must_use]
    pub fn heard_kinds(&self) -> Vec<EventKind> {
        self.heard().into_iter().map(|event| event.kind).collect()
    }

    /// Writes the confirmations that wait to be written, and stops the tasks of the gate. Requests
    /// are still answered.
    pub async fn settle(&self) {
        self.gate.shutdown().await.unwrap();
    }
}

/// Collects what an application is made of. What a test does not choose is what
/// [`tollgate::testing::ready`] gives: fresh keys, a store in memory, a clock at [`START`], and no
/// throttle.
#[must_use = "nothing runs until `build().await`"]
pub struct AppBuilder<B: AuthBackend = Accounts> {
    accounts: B,
    routes: fn(&Gate<B>) -> Router,
    clock: Clock,
    settings: Settings,
    throttle: Option<ThrottleSettings>,
    keys: Option<KeyRing>,
    store: Option<Store>,
    heard: Heard,
    changes: Vec<Change<B>>,
}

/// A change of the gate's builder.
type Change<B> = Box<dyn FnOnce(ReadyBuilder<B>) -> ReadyBuilder<B> + Send>;

impl<B: AuthBackend + Clone> AppBuilder<B> {
    /// Starts an application with a backend and routes.
    pub fn of(accounts: B, routes: fn(&Gate<B>) -> Router) -> Self {
        Self {
            accounts,
            routes,
            clock: Clock::manual(START),
            settings: Settings::default(),
            throttle: None,
            keys: None,
            store: None,
            heard: Heard::default(),
            changes: Vec::new(),
        }
    }

    /// Shares users with another application.
    pub fn accounts(mut self, accounts: &B) -> Self {
        self.accounts = accounts.clone();
        self
    }

    /// Shares a clock with another application or with the test.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Signs with the keys of a ring.
    pub fn keys(mut self, ring: &KeyRing) -> Self {
        self.keys = Some(ring.clone());
        self
    }

    /// Keeps sessions in a store.
    pub fn store(mut self, store: impl Into<Store>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Takes settings. Their throttle counts where it is not the default one.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Throttles, whatever the settings say.
    pub fn throttle(mut self, throttle: ThrottleSettings) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Collects events where another application collects its own.
    pub fn heard(mut self, heard: &Heard) -> Self {
        self.heard = heard.clone();
        self
    }

    /// Changes anything else of the gate's builder, after all that is chosen here.
    pub fn change(
        mut self,
        change: impl FnOnce(ReadyBuilder<B>) -> ReadyBuilder<B> + Send + 'static,
    ) -> Self {
        self.changes.push(Box::new(change));
        self
    }
}

impl<B: AuthBackend + Clone> AppBuilder<B>
where
    B::User: Issuable,
    Plain: Protects<<B::User as JwtClaims>::Secrecy>,
{
    /// Builds the application.
    pub async fn build(self) -> App<B> {
        self.try_build().await.unwrap()
    }

    /// Builds the application, or returns why its gate does not start.
    pub async fn try_build(self) -> Result<App<B>, Error> {
        let heard = self.heard.clone();
        let throttle = self.throttle.unwrap_or_else(|| {
            let said = self.settings.throttle.clone();
            if said == ThrottleSettings::default() {
                ThrottleSettings::off()
            } else {
                said
            }
        });
        let (mut builder, _) = ready(GateBuilder::new(self.accounts.clone()))?;
        builder = builder
            .settings(self.settings)
            .throttle(throttle)
            .clock(self.clock.clone())
            .on_event(move |event| heard.push(event));
        if let Some(ring) = self.keys {
            builder = builder.keys(ring);
        }
        if let Some(store) = self.store {
            builder = builder.store(store);
        }
        let gate = self
            .changes
            .into_iter()
            .fold(builder, |builder, change| change(builder))
            .build()
            .await?;
        Ok(App {
            router: (self.routes)(&gate),
            accounts: self.accounts,
            gate,
            clock: self.clock,
            heard: self.heard,
        })
    }
}

/// Returns the routes of the tests' application.
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
