//! Tokens that were verified before: one hot, 4 096 in turn, and a whole request (PERFORMANCE rows
//! 4 and 7).

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use tollgate::prelude::*;
use tollgate_benches::claims::{Role, User};
use tollgate_benches::{Contestant, Table, interleave};
use tower::ServiceExt as _;
use uuid::Uuid;

const ISSUER: &str = "https://accounts.example.com";
const AUDIENCE: &str = "https://api.example.com";

#[auth_backend(email, user = User, refresh(from = stored))]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

/// What a careful user of jsonwebtoken would write.
#[derive(Deserialize)]
#[allow(dead_code, reason = "they are read, as ours are")]
struct PeerClaims {
    sub: Uuid,
    email: String,
    roles: Vec<Role>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ring = KeyRing::generate(Algorithm::EdDSA).expect("a ring");
    let jwks = ring.jwks();
    let decoding = DecodingKey::from_jwk(
        &jwks
            .find(ring.set().signing().kid())
            .expect("the current key")
            .try_into()
            .expect("a JWK"),
    )
    .expect("a key");
    let build = Accounts
        .gate()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .keys(ring)
        .store(MemoryStore::new())
        .access_ttl(Duration::from_secs(3600));
    let gate = runtime.block_on(async { build.build().await.expect("a gate") });
    let issue = || {
        runtime
            .block_on(gate.issue(&User::ada(), Duration::from_secs(3600)))
            .expect("a token")
    };
    let (hot, many): (String, Vec<String>) = (issue(), (0..4096).map(|_| issue()).collect());
    // One revocation is in the view, so that looking it up is part of what is measured.
    runtime
        .block_on(gate.revoke(Revoke::access_of("nobody")))
        .expect("a revocation");
    for token in many.iter().chain([&hot]) {
        runtime.block_on(gate.verify(token)).expect("it verifies");
    }

    let mut validation = Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_nbf = true;

    let mut table = Table::default();
    let mut at = 0;
    let measured = interleave(vec![
        Contestant::new("hot", || at_once(gate.verify(&hot)).expect("it verifies")),
        Contestant::new("in turn", || {
            at = (at + 1) % many.len();
            at_once(gate.verify(&many[at])).expect("it verifies")
        }),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::decode::<PeerClaims>(&hot, &decoding, &validation).expect("it verifies")
        }),
    ]);
    table.row(
        "4",
        "EdDSA token seen before, one hot, revocations looked up",
        &measured[0],
        &measured[2],
        0.005,
    );
    table.row(
        "4",
        "EdDSA tokens seen before, 4 096 in turn",
        &measured[1],
        &measured[2],
        0.02,
    );

    let bare = Router::new().route("/me", get(async || "in"));
    let ours = Router::new()
        .route(
            "/me",
            get(async |user: Auth<User>| {
                if black_box(user.claims()).email().is_empty() {
                    "out"
                } else {
                    "in"
                }
            }),
        )
        .with_state(gate.clone());
    let contestant = |name, router: Router| {
        let (runtime, token) = (&runtime, &hot);
        Contestant::new(name, move || {
            let request = Request::get("/me")
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty());
            let response = runtime
                .block_on(router.clone().oneshot(request.expect("a request")))
                .expect("an answer");
            assert_eq!(response.status(), StatusCode::OK);
            response
        })
    };
    let measured = interleave(vec![
        contestant("bare", bare),
        contestant("Auth<User>", ours),
    ]);
    table.row(
        "7",
        "authenticated GET, EdDSA token seen before",
        &measured[1],
        &measured[0],
        1.25,
    );
    table.print();
}

/// What a future says that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a token that was seen before waits for nothing"),
    }
}
