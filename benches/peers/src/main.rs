//! One authenticated GET with axum-jwt-auth, with axum-login and with tollgate: the cost over the
//! bare handler with the same body (row 6).
//!
//! axum-jwt-auth verifies a token of HS256 with jsonwebtoken 10 and looks up no revocation.
//! axum-login reads the session of a cookie from a store in memory, and the user from the backend.

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::{get, post};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use http::{Request, StatusCode};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tollgate::prelude::*;
use tollgate_benches::claims::{Role, User};
use tollgate_benches::server::{
    AUDIENCE, Accounts, ISSUER, gate, gate_with_cache, ring, secret, token,
};
use tollgate_benches::{Contestant, Measured, Table, Target, interleave};
use tower::ServiceExt as _;
use tower_sessions::SessionManagerLayer;
use tower_sessions_memory_store::MemoryStore as SessionsInMemory;
use uuid::Uuid;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let seen = runtime.block_on(gate(ring(Algorithm::HS256)));
    let cold = runtime.block_on(gate_with_cache(ring(Algorithm::HS256), 0));
    let one = bearer(&runtime.block_on(token(&seen)));
    let fresh = (0..64)
        .map(|_| bearer(&runtime.block_on(token(&cold))))
        .collect();
    let login = with_axum_login();
    let cookie = runtime.block_on(sign_in(&login));
    let measured = interleave(vec![
        contestant("bare", &runtime, bare(), vec![one.clone()]),
        contestant("Auth<User>, cold", &runtime, guarded(&cold), fresh),
        contestant(
            "Auth<User>, seen",
            &runtime,
            guarded(&seen),
            vec![one.clone()],
        ),
        contestant("axum-jwt-auth", &runtime, with_axum_jwt_auth(), vec![one]),
        contestant("axum-login", &runtime, login, vec![("cookie", cookie)]),
    ]);
    let [bare, cold, seen, jwt_auth, login] = &measured[..] else {
        unreachable!("there are five");
    };
    let mut table = Table::default();
    for (how, ours) in [("cold", cold), ("token seen before", seen)] {
        for (name, peer) in [("axum-jwt-auth 0.7", jwt_auth), ("axum-login 0.18", login)] {
            let what = format!("authenticated GET over the bare handler, {how}, against {name}");
            let over = |one: &Measured| one.over(bare);
            table.row_as("6", &what, &over(ours), &over(peer), Target::AtMost(1.0));
        }
    }
    table.end();
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// Returns a contestant that sends requests with these headers in turn.
fn contestant<'a>(
    name: &'static str,
    runtime: &'a Runtime,
    router: Router,
    headers: Vec<(&'static str, String)>,
) -> Contestant<'a> {
    let mut at = 0;
    Contestant::new(name, move || {
        at = (at + 1) % headers.len();
        let (header, value) = &headers[at];
        let request = Request::get("/me").header(*header, value.clone());
        let request = request.body(Body::empty()).expect("a request");
        let response = runtime
            .block_on(router.clone().oneshot(request))
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response
    })
}

fn bare() -> Router {
    Router::new().route("/me", get(async || BODY))
}

fn guarded(gate: &Gate<Accounts>) -> Router {
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

// ---- axum-jwt-auth ----

/// The claims as a user of that crate would write them.
#[derive(Deserialize)]
struct PeerClaims {
    sub: Uuid,
    email: String,
    roles: Vec<Role>,
}

#[derive(Clone)]
struct Decoding(Decoder<PeerClaims>);

impl FromRef<Decoding> for Decoder<PeerClaims> {
    fn from_ref(state: &Decoding) -> Self {
        Arc::clone(&state.0)
    }
}

fn with_axum_jwt_auth() -> Router {
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    let decoder = LocalDecoder::builder()
        .keys(vec![DecodingKey::from_secret(&secret())])
        .validation(validation)
        .build()
        .expect("a decoder");
    let handler = async |user: Claims<PeerClaims>| {
        let claims = black_box(user.claims);
        if claims.email.is_empty() || claims.roles.is_empty() || claims.sub.is_nil() {
            ""
        } else {
            BODY
        }
    };
    Router::new()
        .route("/me", get(handler))
        .with_state(Decoding(Arc::new(decoder)))
}

// ---- axum-login ----

/// A user of axum-login, with what its password hash would be.
#[derive(Clone)]
struct Member(User);

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Member")
    }
}

impl AuthUser for Member {
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.0.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        b"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"
    }
}

/// A backend whose accounts all are the same user, as that of tollgate is.
#[derive(Clone)]
struct Members;

impl AuthnBackend for Members {
    type User = Member;
    type Credentials = ();
    type Error = std::convert::Infallible;

    async fn authenticate(&self, (): ()) -> Result<Option<Member>, Self::Error> {
        Ok(Some(Member(User::ada())))
    }

    async fn get_user(&self, _: &Uuid) -> Result<Option<Member>, Self::Error> {
        Ok(Some(Member(User::ada())))
    }
}

fn with_axum_login() -> Router {
    let sessions = SessionManagerLayer::new(SessionsInMemory::default());
    let layer = AuthManagerLayerBuilder::new(Members, sessions).build();
    let handler = async |session: AuthSession<Members>| match black_box(session.user) {
        Some(member) if !member.0.email.is_empty() => BODY,
        _ => "",
    };
    let sign_in = async |mut session: AuthSession<Members>| {
        let member = Member(User::ada());
        session.login(&member).await.expect("a session");
    };
    Router::new()
        .route("/me", get(handler))
        .route("/login", post(sign_in))
        .layer(layer)
}

/// Returns the cookie of a session.
async fn sign_in(router: &Router) -> String {
    let request = Request::post("/login").body(Body::empty());
    let answer = router.clone().oneshot(request.expect("a request"));
    let answer = answer.await.expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("a cookie");
    cookie.split(';').next().expect("a value").to_owned()
}

/// The body of every answer.
const BODY: &str = "in";
