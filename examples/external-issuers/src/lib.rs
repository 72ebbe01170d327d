//! Orders that callers of two issuers may read: an OpenID provider, whose keys are fetched, and a
//! partner, whose key was handed over.

use axum::extract::{FromRef, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::error::Error;
use tollgate::guard::{GuardRouter, HttpKeys, Issuer, JwksGuard, StaticGuard};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

/// The claims in the tokens of both issuers.
#[derive(Clone, JwtClaims)]
#[claims(external)]
pub struct Caller {
    #[claim(sub)]
    id: String,
    #[claim(scope, default)]
    scope: Vec<String>,
}

/// Callers who were granted to read orders.
#[derive(Policy)]
#[policy(user = Caller, scope = "orders:read")]
pub struct Readers;

/// The audience of all tokens: this service.
pub const AUDIENCE: &str = "https://orders.example.com";
/// The partner's name.
pub const PARTNER: &str = "https://partner.example";

/// The state of the handlers.
#[derive(Clone)]
struct App {
    guards: GuardRouter<Caller>,
    callers: Verifier<Caller>,
}

impl FromRef<App> for Verifier<Caller> {
    fn from_ref(app: &App) -> Self {
        app.callers.clone()
    }
}

/// The guards: `provider` is the address of the issuer in `issuer/`, which speaks plain http on
/// this machine; anywhere else it would be
/// `JwksGuard::oidc("https://login.example.org").audience(AUDIENCE)`.
///
/// # Errors
/// Two issuers are one, or an issuer lacks something.
pub fn guards(
    provider: &str,
    partner: StaticGuard<Caller>,
    clock: Clock,
) -> Result<GuardRouter<Caller>, Error> {
    let keys = HttpKeys::discovered(provider)
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let provider = JwksGuard::new(Issuer::new(provider).audience(AUDIENCE), keys);
    GuardRouter::builder()
        .clock(clock)
        .guard("provider", provider)
        .guard("partner", partner)
        .build()
}

/// The partner's guard. Its key came by hand, and the partner's next one will too:
/// `partner.set_public_keys(…)`.
#[must_use]
pub fn partner() -> StaticGuard<Caller> {
    StaticGuard::new(
        Issuer::new(PARTNER)
            .audience(AUDIENCE)
            .algorithms([Algorithm::EdDSA]),
    )
}

/// The routes.
pub fn app(guards: GuardRouter<Caller>) -> Router {
    let app = App {
        callers: guards.verifier(),
        guards,
    };
    Router::new()
        .route("/whoami", get(whoami))
        .route("/orders", get(orders))
        .route("/health", get(health))
        .with_state(app)
}

async fn whoami(caller: Auth<Caller>) -> Json<Value> {
    let (issuer, subject) = caller.token().identity();
    Json(
        json!({"guard": caller.token().guard(), "issuer": issuer, "subject": subject, "key": caller.token().kid()}),
    )
}

/// Orders belong to issuer and subject together: the partner may have a user whose subject is that of
/// a user of the provider.
async fn orders(caller: Auth<Caller, Readers>) -> Json<Value> {
    let (issuer, subject) = caller.token().identity();
    Json(json!([{"of": {"issuer": issuer, "subject": subject}, "what": "a hundred bolts"}]))
}

async fn health(State(app): State<App>) -> Json<Value> {
    let guards = app.guards.health();
    Json(guards.iter().map(|guard| json!({"name": guard.name, "is_well": guard.is_well, "keys": guard.keys.keys})).collect())
}
