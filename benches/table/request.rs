//! One authenticated GET, in process: what it costs over the bare handler with the same body (rows
//! 6 and 15).

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::routing::get;
use http::request::Parts;
use http::{Request, StatusCode};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tollgate::prelude::*;
use tollgate_benches::claims::{Role, User};
use tollgate_benches::server::{
    AUDIENCE, Accounts, ISSUER, gate, gate_with_cache, ring, secret, token,
};
use tollgate_benches::{Contestant, Measured, Table, interleave};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::floor::floor;
use super::seen::at_once;

/// The claims as a careful user of jsonwebtoken would write them.
#[derive(Deserialize)]
struct PeerClaims {
    sub: Uuid,
    email: String,
    roles: Vec<Role>,
}

struct Peer(PeerClaims);

#[derive(Clone)]
struct PeerState(Arc<(DecodingKey, Validation)>);

impl<S: Send + Sync> FromRequestParts<S> for Peer
where
    PeerState: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let PeerState(state) = PeerState::from_ref(state);
        let header = parts
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|text| text.strip_prefix("Bearer "))
            .ok_or(StatusCode::UNAUTHORIZED)?;
        let data = jsonwebtoken::decode(token, &state.0, &state.1)
            .map_err(|_| StatusCode::UNAUTHORIZED)?;
        Ok(Self(data.claims))
    }
}

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table) {
    let runtime = runtime();
    let gate = runtime.block_on(gate(ring(Algorithm::HS256)));
    let cold = runtime.block_on(gate_with_cache(ring(Algorithm::HS256), 0));
    let seen = runtime.block_on(token(&gate));
    let fresh: Vec<String> = (0..64).map(|_| runtime.block_on(token(&cold))).collect();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    let peer = PeerState(Arc::new((DecodingKey::from_secret(&secret()), validation)));
    let mut at = 0;
    let mut measured = interleave(vec![
        contestant("bare", &runtime, bare(), &seen),
        contestant_of("Auth<User>, cold", &runtime, guarded(&cold), fresh.clone()),
        contestant("Auth<User>, seen", &runtime, guarded(&gate), &seen),
        contestant("jsonwebtoken extractor", &runtime, by_hand(peer), &seen),
        Contestant::new("gate.verify, cold", || {
            at = (at + 1) % fresh.len();
            at_once(cold.verify(&fresh[at])).expect("it verifies")
        }),
        Contestant::new("gate.verify, seen", || {
            at_once(gate.verify(&seen)).expect("it verifies")
        }),
        floor(&fresh[0]),
    ])
    .into_iter();
    let mut next = || measured.next().expect("seven contestants");
    let (bare, cold, seen, peer) = (next(), next(), next(), next());
    let (verify_cold, verify_seen, least) = (next(), next(), next());
    let over = |one: &Measured| one.over(&bare);
    let what = "authenticated GET, HS256, over the bare handler";
    table.row("6", what, &over(&cold), &over(&peer), 0.30);
    let what = "the same, token seen before";
    table.row("6", what, &over(&seen), &over(&peer), 0.06);
    let d_jwt_auth = Measured::fixed("d_jwt_auth, its own figure", 670_000.0);
    let what = "authenticated GET, the whole request";
    table.row("15", what, &cold, &d_jwt_auth, 1.0 / 300.0);
    let nanos = |one: &Measured| one.nanos();
    table.parts(
        "authenticated GET, HS256",
        &[
            ("router, request and answer", nanos(&bare)),
            ("one HMAC, base64, the clock", nanos(&least)),
            (
                "claims, times, names, revocations",
                nanos(&verify_cold.over(&least)),
            ),
            (
                "extractor: headers, settings, the handler's larger future",
                nanos(&over(&cold).over(&verify_cold)),
            ),
        ],
    );
    table.parts(
        "the same, token seen before",
        &[
            ("router, request and answer", nanos(&bare)),
            ("the clock, the cache, revocations", nanos(&verify_seen)),
            (
                "extractor: headers, settings, the handler's larger future",
                nanos(&over(&seen).over(&verify_seen)),
            ),
        ],
    );
}

/// Returns a runtime on this thread.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Returns the handler without authentication.
pub(crate) fn bare() -> Router {
    Router::new().route("/me", get(async || BODY))
}

/// Returns the handler behind a gate.
pub(crate) fn guarded(gate: &Gate<Accounts>) -> Router {
    let handler = async |user: Auth<User>| {
        if black_box(user.claims()).email().is_empty() {
            ""
        } else {
            BODY
        }
    };
    Router::new()
        .route("/me", get(handler))
        .with_state(gate.clone())
}

fn by_hand(state: PeerState) -> Router {
    let handler = async |Peer(claims): Peer| {
        let claims = black_box(claims);
        if claims.email.is_empty() || claims.roles.is_empty() || claims.sub.is_nil() {
            ""
        } else {
            BODY
        }
    };
    Router::new().route("/me", get(handler)).with_state(state)
}

/// Returns a contestant that sends the same token each time.
pub(crate) fn contestant<'a>(
    name: &'static str,
    runtime: &'a Runtime,
    router: Router,
    token: &str,
) -> Contestant<'a> {
    contestant_of(name, runtime, router, vec![token.to_owned()])
}

/// Returns a contestant that sends tokens in turn.
fn contestant_of<'a>(
    name: &'static str,
    runtime: &'a Runtime,
    router: Router,
    tokens: Vec<String>,
) -> Contestant<'a> {
    let mut at = 0;
    Contestant::new(name, move || {
        at = (at + 1) % tokens.len();
        let request = Request::get("/me")
            .header("authorization", format!("Bearer {}", tokens[at]))
            .body(Body::empty());
        let response = runtime
            .block_on(router.clone().oneshot(request.expect("a request")))
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response
    })
}

/// The body of every answer.
const BODY: &str = "in";
