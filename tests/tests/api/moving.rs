//! Moving day: the refresh tokens of the system that came before are exchanged for sessions, each
//! once, and are worth nothing anywhere else.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::clock::{Clock, Timestamp};
use tollgate::error::Error;
use tollgate::guard::{FormerToken, MovingGuard, MovingKey};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::secret::Secret;
use tollgate::settings::OnLimit;
use tollgate::store::Store;
use tollgate_tests::support::interop::{SCRIPTS, provided, runs, skipped};
use tollgate_tests::{Answer, request};
use tower::ServiceExt as _;

use crate::guard::issuer::Key;
use crate::openapi::{assert_fits, body_of};

/// The secret of the former system, as its settings had it.
const SECRET: &str = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz";
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

#[derive(Clone, JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
}

/// Members with passwords, some of whom are closed.
#[auth_backend(username, user = Member)]
#[derive(Clone, Default)]
struct Members {
    closed: Arc<Mutex<HashSet<u64>>>,
    is_down: Arc<Mutex<bool>>,
}

impl Authenticate for Members {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Member, AuthError> {
        panic!("somebody was asked for a password")
    }
}

impl Refresh for Members {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<Member, AuthError> {
        if *self.is_down.lock().unwrap() {
            return Err(AuthError::unavailable("the database is down"));
        }
        match (self.closed.lock().unwrap().contains(id), *id) {
            (false, 7 | 8) => Ok(Member { id: *id }),
            _ => Err(AuthError::Gone),
        }
    }
}

struct Moved {
    members: Members,
    gate: Gate<Members>,
    clock: Clock,
    router: Router,
}

impl Moved {
    async fn with(guard: MovingGuard) -> Self {
        Self::on(guard, MemoryStore::new()).await
    }

    async fn on(guard: MovingGuard, store: impl Into<Store>) -> Self {
        Self::at(Timestamp::from_secs(NOW), guard, store).await
    }

    async fn at(start: Timestamp, guard: MovingGuard, store: impl Into<Store>) -> Self {
        let members = Members::default();
        let (builder, _) = tollgate::testing::ready(members.clone().gate()).unwrap();
        let clock = Clock::manual(start);
        let builder = builder.clock(clock.clone()).store(store.into());
        let gate = builder.moving(guard).build().await.unwrap();
        let app = Router::new().route(
            "/me",
            get(async |user: Auth<Member>| Json(user.token().subject().to_owned())),
        );
        Self {
            members,
            router: gate.install(app).with_state(gate.clone()),
            gate,
            clock,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let request = request(Method::POST, path, None, Some(body));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn exchange(&self, token: &str) -> Answer {
        self.post("/auth/exchange", json!({ "token": token })).await
    }

    async fn me(&self, token: &str) -> Answer {
        let request = request(Method::GET, "/me", Some(token), None);
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }
}

fn key() -> MovingKey {
    MovingKey::hs256(Secret::from_bytes(SECRET.into())).unwrap()
}

fn until() -> Timestamp {
    Timestamp::from_secs(NOW + 90 * DAY)
}

fn simplejwt() -> MovingGuard {
    MovingGuard::simplejwt(key(), until())
}

fn sign(header: &Value, payload: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(payload));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// A token of simplejwt, with changes; `null` takes a member out.
fn former(changes: &Value) -> String {
    let mut payload = json!({
        "token_type": "refresh", "exp": NOW + DAY, "iat": NOW - DAY, "jti": "f7fb12", "user_id": "7",
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(name);
        } else {
            payload[name] = value.clone();
        }
    }
    sign(&json!({"alg": "HS256", "typ": "JWT"}), &payload)
}

#[tokio::test]
async fn a_former_token_is_exchanged_once_for_a_session_that_lives_on_here() {
    let moved = Moved::with(simplejwt()).await;
    let token = former(&json!({}));
    let tokens = moved.exchange(&token).await.tokens();
    assert_eq!(moved.me(&tokens.access).await.json(), "7");
    moved.clock.advance(Duration::from_secs(60));
    let refresh = json!({ "refresh_token": tokens.refresh });
    let refreshed = moved.post("/auth/refresh-access", refresh).await.tokens();
    assert_eq!(moved.me(&refreshed.access).await.json(), "7");

    // Afterwards it is worth nothing: not there, not as a bearer, not as a refresh token.
    moved
        .exchange(&token)
        .await
        .assert_problem(401, "invalid_credentials");
    moved.me(&token).await.assert_problem(401, "invalid_token");
    let refresh = json!({ "refresh_token": token });
    let refused = moved.post("/auth/refresh-access", refresh).await;
    refused.assert_problem(401, "invalid_grant");
}

#[tokio::test]
async fn a_former_token_never_counts_elsewhere() {
    let moved = Moved::with(simplejwt()).await;
    let token = former(&json!({}));
    moved.me(&token).await.assert_problem(401, "invalid_token");
    let refresh = json!({ "refresh_token": token });
    let refused = moved.post("/auth/refresh-access", refresh).await;
    refused.assert_problem(401, "invalid_grant");
    assert!(moved.gate.verify(&token).await.is_err());
    // None of these attempts used it up.
    _ = moved.exchange(&token).await.tokens();
}

#[tokio::test]
async fn a_gate_without_a_moving_guard_has_no_such_route() {
    let (builder, _) = tollgate::testing::ready(Members::default().gate()).unwrap();
    let gate = builder.build().await.unwrap();
    let router = gate.install(Router::new()).with_state(gate.clone());
    let body = Some(json!({ "token": former(&json!({})) }));
    let request = request(Method::POST, "/auth/exchange", None, body);
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_live_refresh_token_of_the_former_system_is_refused() {
    let moved = Moved::with(simplejwt().issuer("old").audience("app")).await;
    let good = json!({"iss": "old", "aud": ["other", "app"]});
    let with = |changes: Value| {
        let mut all = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        former(&all)
    };
    let none = sign(
        &json!({"alg": "none"}),
        &json!({"user_id": "7", "exp": NOW + 9}),
    );
    let good_token = with(json!({}));
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    let padded = format!("{good_token}=");
    let payload = json!({"token_type": "refresh", "exp": NOW + DAY, "user_id": "7", "iss": "old", "aud": "app"});
    for (what, token) in [
        ("an access token", with(json!({"token_type": "access"}))),
        ("no kind", with(json!({"token_type": null}))),
        ("expired", with(json!({"exp": NOW}))),
        ("without an end", with(json!({"exp": null}))),
        (
            "an end that is a text",
            with(json!({"exp": (NOW + 9).to_string()})),
        ),
        ("from the future", with(json!({"iat": NOW + 3600}))),
        ("not yet", with(json!({"nbf": NOW + 3600}))),
        ("nobody", with(json!({"user_id": null}))),
        ("an empty name", with(json!({"user_id": ""}))),
        ("an object", with(json!({"user_id": {"id": 7}}))),
        ("half a name", with(json!({"user_id": 7.5}))),
        ("another issuer", with(json!({"iss": "new"}))),
        ("another audience", with(json!({"aud": ["other"]}))),
        ("no audience", with(json!({"aud": null}))),
        ("unknown here", with(json!({"user_id": "9"}))),
        ("no number", with(json!({"user_id": "ada"}))),
        ("unsigned", none),
        ("unsigned", unsigned),
        ("padded", padded),
        (
            "another key",
            sign_with("another secret of the same length, indeed!", &payload),
        ),
        (
            "another algorithm",
            sign(&json!({"alg": "HS512"}), &payload),
        ),
        (
            "an extension",
            sign(&json!({"alg": "HS256", "crit": ["x"], "x": 1}), &payload),
        ),
        ("garbage", "a.b.c".to_owned()),
        ("nothing", String::new()),
    ] {
        let answer = moved.exchange(&token).await;
        assert_eq!(answer.status, 401, "{what}");
        answer.assert_problem(401, "invalid_credentials");
    }
    _ = moved.exchange(&good_token).await.tokens();
    moved
        .post("/auth/exchange", json!({ "refresh": "x" }))
        .await
        .assert_problem(400, "invalid_request");
}

fn sign_with(secret: &str, payload: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({"alg": "HS256"})), encode(payload));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The date is the end of moving, however long a token would have lived.
#[tokio::test]
async fn after_the_date_no_former_token_counts() {
    let guard = MovingGuard::simplejwt(key(), Timestamp::from_secs(NOW + 2 * DAY));
    let moved = Moved::with(guard).await;
    let token = former(&json!({"exp": NOW + 30 * DAY, "jti": "a"}));
    let other = former(&json!({"exp": NOW + 30 * DAY, "jti": "b"}));
    moved.clock.advance(Duration::from_secs(2 * DAY - 1));
    _ = moved.exchange(&token).await.tokens();
    moved.clock.advance(Duration::from_secs(1));
    moved
        .exchange(&other)
        .await
        .assert_problem(401, "invalid_credentials");
}

/// Of many that come at once with one token, one gets a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_gets_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(folder.path().join("tollgate.db"))
        .await
        .unwrap();
    for store in [Store::from(MemoryStore::new()), Store::from(sqlite)] {
        let moved = Arc::new(Moved::on(simplejwt(), store).await);
        let token = former(&json!({}));
        let attempts: Vec<_> = (0..32)
            .map(|_| {
                let (moved, token) = (Arc::clone(&moved), token.clone());
                tokio::spawn(async move { moved.exchange(&token).await.status })
            })
            .collect();
        let mut opened = 0;
        for attempt in attempts {
            match attempt.await.unwrap() {
                StatusCode::OK => opened += 1,
                status => assert_eq!(status, StatusCode::UNAUTHORIZED),
            }
        }
        assert_eq!(opened, 1);
        assert_eq!(moved.gate.sessions().of(&7).await.unwrap().len(), 1);
    }
}

/// The former deny-list is asked, and says whose token it is here. What it cannot decide leaves the
/// token as it was.
#[tokio::test]
async fn the_hook_asks_the_former_deny_list_and_names_the_user_here() {
    let denied = Arc::new(Mutex::new(Some(HashSet::from(["bad".to_owned()]))));
    let asked = Arc::clone(&denied);
    let guard = simplejwt().resolve(move |token: FormerToken| {
        let asked = asked.lock().unwrap().clone();
        async move {
            let jti = token
                .claim("jti")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let denied = asked.ok_or_else(|| AuthError::unavailable("the old database is down"))?;
            if denied.contains(jti) {
                return Err(AuthError::Invalid);
            }
            assert_eq!(token.subject(), "uuid-of-ada");
            Ok("8".to_owned())
        }
    });
    let moved = Moved::with(guard).await;
    let of = |jti: &str| former(&json!({"user_id": "uuid-of-ada", "jti": jti}));
    moved
        .exchange(&of("bad"))
        .await
        .assert_problem(401, "invalid_credentials");
    let list = denied.lock().unwrap().take();
    moved
        .exchange(&of("good"))
        .await
        .assert_problem(503, "unavailable");
    *denied.lock().unwrap() = list;
    *moved.members.is_down.lock().unwrap() = true;
    moved
        .exchange(&of("good"))
        .await
        .assert_problem(503, "unavailable");
    *moved.members.is_down.lock().unwrap() = false;
    let tokens = moved.exchange(&of("good")).await.tokens();
    assert_eq!(moved.me(&tokens.access).await.json(), "8");
}

/// A refusal that is not the token's fault leaves the token as it was.
#[tokio::test]
async fn a_token_that_opened_no_session_is_not_used_up() {
    let (builder, _) = tollgate::testing::ready(Members::default().gate()).unwrap();
    let clock = Clock::manual(Timestamp::from_secs(NOW));
    let builder = builder.clock(clock).device_limit(1, OnLimit::Deny);
    let gate = builder.moving(simplejwt()).build().await.unwrap();
    let router = gate.install(Router::new()).with_state(gate.clone());
    let exchange = async || {
        let body = Some(json!({ "token": former(&json!({})) }));
        let request = request(Method::POST, "/auth/exchange", None, body);
        router.clone().oneshot(request).await.unwrap().status()
    };
    let other = gate
        .sign_in(Member { id: 7 }, &Client::unknown())
        .await
        .unwrap();
    assert!(exchange().await.is_client_error());
    gate.revoke(Revoke::session(other.session_id))
        .await
        .unwrap();
    assert_eq!(exchange().await, StatusCode::OK);
    assert!(exchange().await.is_client_error());
}

/// A token from before signs in no user who changed the password here, or whose account was closed.
#[tokio::test]
async fn a_change_of_credentials_here_ends_former_tokens() {
    let moved = Moved::with(simplejwt()).await;
    let before = former(&json!({"jti": "before"}));
    moved.clock.advance(Duration::from_secs(60));
    let all = tollgate::gate::EndSessions::All;
    moved.gate.credentials_changed(&7, all).await.unwrap();
    moved.clock.advance(Duration::from_secs(60));
    moved
        .exchange(&before)
        .await
        .assert_problem(401, "invalid_credentials");
    let other = former(&json!({"user_id": "8"}));
    moved.members.closed.lock().unwrap().insert(8);
    moved
        .exchange(&other)
        .await
        .assert_problem(401, "invalid_credentials");
}

#[derive(Clone, JwtClaims)]
struct Kept {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(username, user = Kept, refresh(from = stored))]
struct Keeping;

impl Authenticate for Keeping {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Kept, AuthError> {
        Err(AuthError::Invalid)
    }
}

/// Keys and backends that cannot work are refused at the start.
#[tokio::test]
async fn weak_keys_and_backends_that_load_nobody_are_refused_at_the_start() {
    let refused = |key: Result<MovingKey, Error>| key.err().unwrap().to_string();
    let short = refused(MovingKey::hs256(Secret::from_bytes(b"secret".to_vec())));
    assert!(short.contains("at least 32"), "{short}");
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS\n-----END PUBLIC KEY-----";
    let known = refused(MovingKey::hs256(Secret::from_bytes(pem.into())));
    assert!(known.contains("PEM"), "{known}");
    let secret = Secret::from_bytes(SECRET.into());
    let other = refused(MovingKey::hmac(Algorithm::RS256, secret));
    assert!(other.contains("public key"), "{other}");

    let (builder, _) = tollgate::testing::ready(Keeping.gate()).unwrap();
    let refused = builder.moving(simplejwt()).build().await.err().unwrap();
    assert!(refused.to_string().contains("`Refresh`"), "{refused}");
}

/// A former system that signs with a key pair gives its public key.
#[tokio::test]
async fn a_public_key_of_the_former_system_does_too() {
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let former = Key::of("former", algorithm);
        let header = json!({ "alg": format!("{algorithm:?}"), "typ": "JWT" }).to_string();
        let payload = json!({"token_type": "refresh_token", "exp": NOW + DAY, "sub": "7"});
        let token = former.sign(&header, &payload.to_string());
        let moved = Moved::with(MovingGuard::ravyn(former.public(), until())).await;
        let issued = moved.exchange(&token).await;
        assert_eq!(
            issued.status,
            StatusCode::OK,
            "{algorithm:?}: {}",
            issued.text
        );
        let access = issued.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(moved.me(&access).await.json(), "7");
        // Once, and nowhere else.
        moved
            .exchange(&token)
            .await
            .assert_problem(401, "invalid_credentials");
        moved.me(&token).await.assert_problem(401, "invalid_token");
        let other = Key::of("former", algorithm).sign(&header, &payload.to_string());
        let moved = Moved::with(MovingGuard::ravyn(former.public(), until())).await;
        moved
            .exchange(&other)
            .await
            .assert_problem(401, "invalid_credentials");
    }
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let jwk = ring.jwks().keys[0].clone();
    let public = tollgate::keys::PublicKey::from_jwk(&jwk, &[Algorithm::EdDSA]).unwrap();
    let moved = Moved::with(MovingGuard::ravyn(public, until())).await;
    let payload = json!({"token_type": "refresh_token", "exp": NOW + DAY, "sub": "7"});
    // A forger who knows the public key cannot use it as a secret.
    let forged = sign(&json!({"alg": "HS256"}), &payload);
    moved
        .exchange(&forged)
        .await
        .assert_problem(401, "invalid_credentials");
    let forged = sign(&json!({"alg": "EdDSA"}), &payload);
    moved
        .exchange(&forged)
        .await
        .assert_problem(401, "invalid_credentials");
}

/// Tokens that the libraries themselves issue: sign in there, refresh here.
#[tokio::test]
async fn tokens_of_simplejwt_and_ravyn_move_without_a_password() {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let list = Path::new(SCRIPTS).join("moving-requirements.txt");
    let python = provided(kept, "interop-moving", &list, |folder| {
        runs(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        runs(
            Command::new(folder.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .arg("--requirement")
                .arg(&list),
        )
    });
    let python = match python {
        Ok(folder) => folder.join("bin/python"),
        Err(why) => return skipped(&why),
    };
    let run = Command::new(python)
        .arg(Path::new(SCRIPTS).join("moving.py"))
        .arg(SECRET)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let issued: Value = serde_json::from_slice(&run.stdout).unwrap();
    let text = |library: &str, name: &str| issued[library][name].as_str().unwrap().to_owned();

    let denied: HashSet<String> =
        serde_json::from_value(issued["simplejwt"]["denied"].clone()).unwrap();
    assert_eq!(denied.len(), 1);
    let denied = Arc::new(denied);
    let simplejwt = simplejwt().resolve(move |token: FormerToken| {
        let denied = Arc::clone(&denied);
        async move {
            match token.claim("jti").and_then(Value::as_str) {
                Some(jti) if !denied.contains(jti) => Ok(token.subject().to_owned()),
                _ => Err(AuthError::Invalid),
            }
        }
    });
    let now = Timestamp::from(std::time::SystemTime::now());
    for (guard, library, refresh, access) in [
        (simplejwt, "simplejwt", "refresh", "access"),
        (
            MovingGuard::ravyn(key(), until()),
            "ravyn",
            "refresh_token",
            "access_token",
        ),
    ] {
        let start = now.plus(Duration::from_secs(5));
        let moved = Moved::at(start, guard, MemoryStore::new()).await;
        if library == "simplejwt" {
            // The refresh token that simplejwt's own rotation replaced is on its deny-list.
            let replaced = moved.exchange(&text(library, "replaced")).await;
            replaced.assert_problem(401, "invalid_credentials");
        }
        let refused = moved.exchange(&text(library, access)).await;
        refused.assert_problem(401, "invalid_credentials");
        let tokens = moved.exchange(&text(library, refresh)).await.tokens();
        assert_eq!(moved.me(&tokens.access).await.json(), "7", "{library}");
        let body = json!({ "refresh_token": tokens.refresh });
        let refreshed = moved.post("/auth/refresh-access", body).await.tokens();
        assert_eq!(moved.me(&refreshed.access).await.json(), "7", "{library}");
        for name in [refresh, access] {
            let again = moved.exchange(&text(library, name)).await;
            again.assert_problem(401, "invalid_credentials");
            let bearer = moved.me(&text(library, name)).await;
            bearer.assert_problem(401, "invalid_token");
        }
    }
}

/// What is said of a guard after it was cloned counts for it, and not for the other.
#[tokio::test]
async fn a_clone_of_a_guard_has_its_own_rules() {
    let shared = simplejwt();
    let strict = shared.clone().audience("staff").resolve(async |token| {
        let id = token.subject().to_owned();
        if id == "8" {
            Err(AuthError::Invalid)
        } else {
            Ok(id)
        }
    });
    let strict = Moved::with(strict).await;
    let shared = Moved::with(shared).await;
    let denied = former(&json!({"aud": "staff", "user_id": "8"}));
    let other = former(&json!({"aud": "shop"}));
    for token in [&denied, &other] {
        let answer = strict.exchange(token).await;
        answer.assert_problem(401, "invalid_credentials");
        _ = shared.exchange(token).await.tokens();
    }
    let staff = former(&json!({"aud": "staff"}));
    _ = strict.exchange(&staff).await.tokens();
}

#[tokio::test]
async fn the_exchange_is_in_the_document_while_there_is_a_former_system() {
    let moved = Moved::with(simplejwt()).await;
    let document: Value = serde_json::from_str(&moved.gate.openapi_json()).unwrap();
    let body = body_of(&document, "/auth/exchange");
    assert_eq!(body["required"], json!(["token"]));
    assert_eq!(body["properties"]["token"]["type"], "string");
    let operation = &document["paths"]["/auth/exchange"]["post"];
    assert_eq!(operation["security"], json!([]));
    let schema = |status: &str, kind: &str| {
        let response = &operation["responses"][status];
        let response = match response["$ref"].as_str() {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
            None => response,
        };
        response["content"][kind]["schema"].clone()
    };
    let token = former(&json!({}));
    let answer = moved.exchange(&token).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_fits(
        &document,
        &schema("200", "application/json"),
        &answer.json(),
        "tokens",
    );
    let again = moved.exchange(&token).await;
    let status = again.status.as_u16().to_string();
    let problem = schema(&status, "application/problem+json");
    assert_fits(&document, &problem, &again.json(), "problem");
}
