//! Repeats one operation so often as it is told, for a tool that counts instructions:
//! `scripts/instructions`.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use tollgate::prelude::*;
use tollgate_benches::claims::User;
use tower::ServiceExt as _;
use uuid::Uuid;

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

const JSON: &str = "application/json";

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args
        .next()
        .expect("an operation: verify, seen, get, get-seen or refresh");
    let count: u32 = args
        .next()
        .and_then(|text| text.parse().ok())
        .expect("how often");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(&what, count));
}

async fn run(what: &str, count: u32) {
    let [signing, refresh] =
        [0..32, 100..132].map(|bytes| Secret::from_bytes(bytes.collect::<Vec<u8>>()));
    let is_seen = what.ends_with("seen");
    let ring = match is_seen {
        true => KeyRing::generate(Algorithm::EdDSA),
        false => KeyRing::from_secret(Algorithm::HS256, signing, refresh),
    };
    // Nothing is remembered where every token is to be verified.
    let cache = if is_seen { 8 << 20 } else { 0 };
    let gate = Accounts
        .gate()
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(ring.expect("a ring"))
        .store(MemoryStore::new())
        .access_cache(cache)
        .build()
        .await
        .expect("a gate");
    let issued = gate.sign_in(User::ada(), &Client::unknown()).await;
    let issued = issued.expect("a session");
    let token = issued.access_token;
    match what {
        "verify" | "seen" => {
            for _ in 0..count {
                black_box(gate.verify(black_box(&token)).await.expect("it counts"));
            }
        }
        "get" | "get-seen" => {
            let app = Router::new()
                .route(
                    "/",
                    get(async |user: Auth<User>| user.subject().to_string()),
                )
                .with_state(gate);
            let bearer = format!("Bearer {token}");
            for _ in 0..count {
                let request = Request::get("/").header("authorization", &bearer);
                let request = request.body(Body::empty()).expect("a request");
                let response = app.clone().oneshot(request).await.expect("an answer");
                assert_eq!(black_box(response).status(), StatusCode::OK);
            }
        }
        "refresh" => {
            let app: Router = gate.install(Router::new());
            let mut token = issued.refresh_token.expose().to_owned();
            for _ in 0..count {
                let body = format!(r#"{{"refresh_token":"{token}"}}"#);
                let request = Request::post("/auth/refresh-access").header("content-type", JSON);
                let request = request.body(Body::from(body)).expect("a request");
                let response = app.clone().oneshot(request).await.expect("an answer");
                assert_eq!(response.status(), StatusCode::OK);
                let body = axum::body::to_bytes(response.into_body(), 16 << 10).await;
                let body = String::from_utf8(body.expect("a body").to_vec()).expect("text");
                let rest = body.split(r#""refresh_token":""#).nth(1);
                token = rest
                    .and_then(|rest| rest.split('"').next())
                    .expect("a token")
                    .to_owned();
            }
        }
        _ => panic!("an operation: verify, seen, get, get-seen or refresh"),
    }
}
