//! One authenticated GET, in process: what it costs over the bare handler (PERFORMANCE row 6).

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::routing::get;
use http::request::Parts;
use http::{Request, StatusCode};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use tollgate::prelude::*;
use tollgate_benches::claims::{Role, User};
use tollgate_benches::{Contestant, Measured, Table, interleave};
use tower::ServiceExt as _;
use uuid::Uuid;

const ISSUER: &str = "https://accounts.example.com";
const AUDIENCE: &str = "https://api.example.com";

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &Uuid, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

/// What a careful user of jsonwebtoken would write.
#[derive(Deserialize)]
struct PeerClaims {
    sub: Uuid,
    email: String,
    roles: Vec<Role>,
}

struct Peer(PeerClaims);

#[derive(Clone)]
struct PeerState(std::sync::Arc<(DecodingKey, Validation)>);

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

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let secret: Vec<u8> = (0..32).collect();
    let [signing, refresh] = [secret.clone(), (100..132).collect()].map(Secret::from_bytes);
    let gate = runtime.block_on(async {
        let ring = KeyRing::from_secret(Algorithm::HS256, signing, refresh).expect("a ring");
        Accounts
            .gate()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .keys(ring)
            .store(MemoryStore::new())
            .build()
            .await
            .expect("a gate")
    });
    let issued = runtime
        .block_on(gate.sign_in(User::ada(), &Client::unknown()))
        .expect("tokens");
    // One revocation is in the view, so that looking it up is part of what is measured.
    runtime
        .block_on(gate.revoke(Revoke::session(SessionId::random().expect("an id"))))
        .expect("a revocation");
    runtime
        .block_on(gate.revoke(Revoke::access_of("nobody")))
        .expect("a revocation");

    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    let state = PeerState(std::sync::Arc::new((
        DecodingKey::from_secret(&secret),
        validation,
    )));

    let bare = Router::new().route("/me", get(async || "in"));
    let ours = Router::new()
        .route(
            "/me",
            get(async |user: Auth<User>| black_box(user.claims()).email().len().to_string()),
        )
        .with_state(gate.clone());
    let peer = Router::new()
        .route(
            "/me",
            get(async |Peer(claims): Peer| {
                (black_box(&claims).email.len()
                    + claims.roles.len()
                    + usize::from(claims.sub.is_nil()))
                .to_string()
            }),
        )
        .with_state(state);

    let contestant = |name, router: Router| {
        let (runtime, token) = (&runtime, &issued.access_token);
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
        contestant("jsonwebtoken extractor", peer),
    ]);
    let [bare, ours, peer] = measured.as_slice() else {
        return;
    };
    let over = |of: &Measured| Measured {
        name: of.name,
        nanos: of.nanos - bare.nanos,
        allocations: of.allocations.saturating_sub(bare.allocations),
    };
    let mut table = Table::default();
    table.row(
        "6",
        "authenticated GET, HS256, cost over the bare handler",
        &over(ours),
        &over(peer),
        0.20,
    );
    table.print();
    println!(
        "\nbare: {:.0} ns, {} allocations",
        bare.nanos, bare.allocations
    );
}
