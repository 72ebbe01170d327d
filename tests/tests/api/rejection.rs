//! The errors that become a rejection by `?`, and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Multipart, Path, Query};
use axum::response::IntoResponse as _;
use axum::routing::{any, get, post};
use axum::{Form, Json, Router};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tollgate::error::ErrorKind;
use tollgate::password::PasswordRejection;
use tollgate::prelude::*;
use tollgate::store::StoreError;
use tollgate_tests::{Answer, App, AppBuilder, request};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn answer(error: impl Into<Rejection>) -> Answer {
    Answer::of(error.into().into_response()).await
}

fn status_and_code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["code"].as_str().unwrap().to_owned();
    (answer.status.as_u16(), code)
}

#[tokio::test]
async fn a_foreign_error_is_a_mistake_of_the_server_and_not_try_again() {
    let parse = "x".parse::<u64>().unwrap_err();
    let boxed: BoxError = "no row for ada@example.com".into();
    for error in [
        Rejection::from(parse),
        boxed.into(),
        "a text".into(),
        String::from("another").into(),
        std::io::Error::other("the disk is full").into(),
    ] {
        let answer = answer(error).await;
        assert_eq!(status_and_code(&answer), (500, "internal_error".to_owned()));
        assert!(!answer.headers.contains_key("retry-after"));
        assert!(!answer.text.contains("ada@") && !answer.text.contains("disk"));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn what_is_ours_keeps_its_code_boxed_or_not() {
    let too_many = || Refusal::too_many(std::time::Duration::from_secs(7));
    let boxed: BoxError = Box::new(too_many());
    for error in [
        Rejection::from(too_many()),
        boxed.into(),
        AuthError::from(too_many()).into(),
    ] {
        let answer = answer(error).await;
        assert_eq!(
            status_and_code(&answer),
            (429, "too_many_requests".to_owned())
        );
        assert_eq!(answer.headers["retry-after"], "7");
    }
    for (error, expected) in [
        (Rejection::from(Code::Forbidden), (403, "forbidden")),
        (
            StoreError::new("the store failed").into(),
            (503, "unavailable"),
        ),
        (
            AuthError::unavailable("the database is down").into(),
            (503, "unavailable"),
        ),
        (AuthError::Invalid.into(), (401, "invalid_credentials")),
        (AuthError::Disabled.into(), (401, "invalid_credentials")),
        (AuthError::Gone.into(), (401, "invalid_credentials")),
        (
            AuthError::from(SignInStep::new(7, "totp")).into(),
            (500, "internal_error"),
        ),
        (AuthError::from(Code::NotFound).into(), (404, "not_found")),
    ] {
        let answer = answer(error).await;
        let (status, code) = expected;
        assert_eq!(status_and_code(&answer), (status, code.to_owned()));
    }
}

#[tokio::test]
async fn an_operation_of_the_gate_that_the_store_failed_is_503() {
    let app = App::new().await;
    let future = tollgate::clock::Timestamp::MAX;
    let usage = app.gate.archive(future).await.unwrap_err();
    assert_eq!(usage.kind(), ErrorKind::Usage);
    assert_eq!(
        answer(usage).await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    let stranger = app.gate.register("nonsense", None).await.unwrap_err();
    assert_eq!(
        status_and_code(&answer(stranger).await),
        (401, "invalid_token".to_owned())
    );
}

/// The words are ours, from a closed list.
#[tokio::test]
async fn a_password_that_breaks_a_rule_is_400_and_says_which() {
    for (rejection, detail) in [
        (
            PasswordRejection::TooShort { min_chars: 15 },
            "the password needs at least 15 characters",
        ),
        (PasswordRejection::TooLong, "the password is too long"),
        (
            PasswordRejection::Guessable,
            "the password is easy to guess",
        ),
        (
            PasswordRejection::Listed,
            "the password is known to attackers",
        ),
    ] {
        let answer = answer(rejection).await;
        assert_eq!(
            status_and_code(&answer),
            (400, "invalid_request".to_owned())
        );
        assert_eq!(answer.json()["detail"], detail);
    }
    let undecided = PasswordRejection::Undecided(AuthError::unavailable("the list is away"));
    assert_eq!(
        answer(undecided).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn r103_every_401_has_a_challenge() {
    for code in Code::ALL {
        let answer = answer(code).await;
        if code.status() == 401 {
            let challenge = answer.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer"), "{code:?}: {challenge}");
        }
    }
}

#[tokio::test]
async fn a_member_is_added_unless_it_is_named_like_ours() {
    let added = answer(Rejection::from(Code::Forbidden).with("limit", 3)).await;
    assert_eq!(added.status, StatusCode::FORBIDDEN);
    assert_eq!(added.json()["limit"], 3);
    for name in [
        "type",
        "title",
        "status",
        "code",
        "detail",
        "instance",
        "step",
        "step_token",
        "expires_in",
        "challenge",
    ] {
        let answer = answer(Rejection::from(Code::Forbidden).with(name, "x")).await;
        assert_eq!(
            status_and_code(&answer),
            (500, "internal_error".to_owned()),
            "{name}"
        );
    }
    let unwritable = std::collections::HashMap::from([(vec![1], 1)]);
    let answer = answer(Rejection::from(Code::Forbidden).with("map", unwritable)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[derive(Deserialize)]
struct Input {
    #[allow(dead_code, reason = "it is only read")]
    number: u8,
}

async fn inputs(app: &App) -> App {
    async fn json(input: Result<Json<Input>, JsonRejection>) -> Result<&'static str, Rejection> {
        let _ = input?;
        Ok("in")
    }
    async fn form(input: Result<Form<Input>, FormRejection>) -> Result<&'static str, Rejection> {
        let _ = input?;
        Ok("in")
    }
    async fn query(input: Result<Query<Input>, QueryRejection>) -> Result<&'static str, Rejection> {
        let _ = input?;
        Ok("in")
    }
    async fn path(input: Result<Path<u8>, PathRejection>) -> Result<&'static str, Rejection> {
        let _ = input?;
        Ok("in")
    }
    async fn parts(input: Result<Multipart, MultipartRejection>) -> Result<String, Rejection> {
        let mut parts = input?;
        let mut names = Vec::new();
        while let Some(part) = parts.next_field().await? {
            names.push(part.name().unwrap_or_default().to_owned());
            let _ = part.bytes().await?;
        }
        Ok(names.join(" "))
    }
    async fn socket(
        input: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ) -> Result<&'static str, Rejection> {
        let _ = input?;
        Ok("in")
    }
    let router = Router::new()
        .route("/parts", post(parts))
        .route("/socket", any(socket))
        .route("/json", post(json))
        .route("/form", post(form))
        .route("/query", get(query))
        .route("/path/{number}", get(path));
    app.serving(router)
}

fn post_text(path: &str, media: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("content-type", media)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn an_input_error_of_axum_is_its_4xx_in_words_of_ours() {
    let app = inputs(&App::new().await).await;
    let media = "application/json";
    let form = "application/x-www-form-urlencoded";
    let get = |path: &str| request(Method::GET, path, None, None);
    let parts = "multipart/form-data; boundary=b";
    let large = format!(
        "--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--b--\r\n",
        "x".repeat(3 << 20)
    );
    // A handshake that no server has an open connection for.
    let upgrade = Request::get("/socket")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = upgrade.body(Body::empty()).unwrap();
    let small = post_text("/parts", parts, &large.replace('x', ""));
    assert_eq!(app.send(small).await.text, "a");
    let long = format!("{{\"number\": {}1}}", " ".repeat(3 << 20));
    for (request, status, code) in [
        (post_text("/json", media, "{"), 400, "invalid_request"),
        (
            post_text("/json", media, r#"{"number": "hunter2"}"#),
            422,
            "invalid_request",
        ),
        (
            post_text("/json", "text/plain", "{}"),
            415,
            "unsupported_media_type",
        ),
        (post_text("/json", media, &long), 413, "payload_too_large"),
        (
            post_text("/form", form, "number=hunter2"),
            422,
            "invalid_request",
        ),
        (
            post_text("/form", media, "{}"),
            415,
            "unsupported_media_type",
        ),
        (get("/query?number=hunter2"), 400, "invalid_request"),
        (get("/path/hunter2"), 400, "invalid_request"),
        (post_text("/parts", form, "hunter2"), 400, "invalid_request"),
        (
            post_text("/parts", parts, "hunter2"),
            400,
            "invalid_request",
        ),
        (post_text("/parts", parts, &large), 413, "payload_too_large"),
        (get("/socket"), 400, "invalid_request"),
        (post_text("/socket", media, "{}"), 405, "invalid_request"),
        (upgrade, 426, "invalid_request"),
    ] {
        let what = format!("{} {code}", request.uri());
        let answer = app.send(request).await;
        assert_eq!(
            status_and_code(&answer),
            (status, code.to_owned()),
            "{what}"
        );
        assert_eq!(answer.json()["status"], json!(status), "{what}");
        assert!(!answer.text.contains("hunter2"), "{what}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_refusal_of_a_handler_names_the_scheme_of_its_gate() {
    let mut settings = Settings::default();
    settings.access.schemes = vec!["Token".to_owned(), "Bearer".to_owned()];
    let app = App::with(settings).await;
    let refuse = async || -> Result<(), Rejection> { Err(Code::InvalidToken)? };
    let own = async || {
        (
            StatusCode::UNAUTHORIZED,
            [("www-authenticate", "Bearer realm=\"x\"")],
        )
    };
    let router = Router::new()
        .route("/refuse", get(refuse))
        .route("/own", get(own));
    let alone = app.serving(router.clone());
    let installed = app.serving(app.gate.install(router));
    let get = |path: &str| request(Method::GET, path, None, None);
    let challenge = |answer: Answer| {
        answer.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let answer = challenge(alone.send(get("/refuse")).await);
    assert_eq!(answer, "Bearer error=\"invalid_token\"");
    let answer = challenge(installed.send(get("/refuse")).await);
    assert_eq!(answer, "Token error=\"invalid_token\"");
    let answer = challenge(installed.send(get("/own")).await);
    assert_eq!(answer, "Bearer realm=\"x\"");
}

/// A backend whose second factor answers in codes.
#[auth_backend(username, user = Person, refresh(from = stored))]
#[derive(Clone, Default)]
struct Coded {
    asked: Arc<AtomicU64>,
}

#[derive(Clone, JwtClaims)]
struct Person {
    #[claim(sub)]
    id: String,
}

impl Authenticate for Coded {
    async fn authenticate(&self, login: UsernameLogin, _: &Client) -> Result<Person, AuthError> {
        Err(SignInStep::new(login.username, "totp"))?
    }

    async fn step(
        &self,
        _: &SignInStep,
        answer: &StepAnswer,
        _: &Client,
    ) -> Result<Person, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match answer.code() {
            Some("busy") => Err(Refusal::too_many(std::time::Duration::from_secs(3)))?,
            _ => Err(Code::InvalidCredentials)?,
        }
    }
}

/// A refusal of the backend keeps its code, and one that says that the answer is wrong costs the
/// token.
#[tokio::test]
async fn a_step_that_is_refused_by_a_code_is_not_tried_again_with_its_token() {
    let app = AppBuilder::of(Coded::default(), Gate::router).build().await;
    let asked = app
        .post(
            "/auth/signin",
            json!({ "username": "ada", "password": "x" }),
        )
        .await;
    let token = asked.json()["step_token"].clone();
    let step = async |code: &str| {
        let answer = json!({ "step_token": token, "code": code });
        app.post("/auth/signin/step", answer).await
    };
    let busy = step("busy").await;
    busy.assert_problem(429, "too_many_requests");
    assert_eq!(busy.headers["retry-after"], "3");
    step("wrong")
        .await
        .assert_problem(401, "invalid_credentials");
    step("right")
        .await
        .assert_problem(401, "invalid_credentials");
    assert_eq!(
        app.accounts.asked.load(Ordering::SeqCst),
        2,
        "the token was burnt"
    );
}
