//! The layers that stand around a gate, as `docs/guide/browsers.md` has them: each snippet of the
//! page is a function here.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, ORIGIN,
};
use http::{HeaderValue, Method, Request, StatusCode};
use tollgate::prelude::*;
use tollgate_tests::{Accounts, App, User, request};

/// The application that the layers go around.
fn inner(gate: &Gate<Accounts>) -> Router {
    let app = Router::new()
        .route("/me", get(async |_: Auth<User>| "in"))
        .route("/echo", post(async |body: String| body));
    gate.install(app).with_state(gate.clone())
}

fn cors_for_cookies(app: Router) -> Router {
    use axum::http::{HeaderValue, Method, header};
    use tower_http::cors::CorsLayer;

    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static("https://app.example.com")])
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::LINK])
        .allow_credentials(true);
    app.layer(cors)
}

fn cors_for_bearers(app: Router) -> Router {
    use axum::http::{Method, header};
    use tower_http::cors::{Any, CorsLayer};

    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::LINK]);
    app.layer(cors)
}

fn headers(app: Router) -> Router {
    use axum::http::{HeaderValue, header};
    use tower_http::set_header::SetResponseHeaderLayer;

    let set =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    app.layer(set(
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains",
    ))
    .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
    .layer(set(header::REFERRER_POLICY, "no-referrer"))
    .layer(set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; frame-ancestors 'none'",
    ))
}

fn only_https(app: Router) -> Router {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::{IntoResponse, Response};

    // The proxy in front writes it, and takes away what others wrote.
    async fn refuse_plain(request: Request, next: Next) -> Response {
        let is_https = request
            .headers()
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "https");
        if is_https {
            next.run(request).await
        } else {
            StatusCode::UPGRADE_REQUIRED.into_response()
        }
    }
    app.layer(from_fn(refuse_plain))
}

fn limits_and_logs(app: Router) -> Router {
    use axum::http::header;
    use tower_http::limit::RequestBodyLimitLayer;
    use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;

    app.layer(RequestBodyLimitLayer::new(1024 * 1024))
        .layer(SetSensitiveRequestHeadersLayer::new([
            header::AUTHORIZATION,
            header::COOKIE,
        ]))
}

/// Every snippet of the page stands in this file, line for line.
#[test]
fn the_page_says_what_is_tested_here() {
    let lines = |text: &str| {
        text.lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
    };
    let page = include_str!("../../../docs/guide/browsers.md");
    let here = lines(include_str!("layers.rs"));
    let snippets: Vec<&str> = page
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert_eq!(snippets.len(), 5);
    for snippet in snippets {
        let snippet = lines(snippet);
        assert!(
            here.windows(snippet.len()).any(|window| window == snippet),
            "{snippet:#?}"
        );
    }
}

fn from_origin(origin: &'static str, mut request: Request<Body>) -> Request<Body> {
    request
        .headers_mut()
        .insert(ORIGIN, HeaderValue::from_static(origin));
    request
}

fn preflight(origin: &'static str) -> Request<Body> {
    let mut request = from_origin(origin, request(Method::OPTIONS, "/me", None, None));
    request.headers_mut().insert(
        "access-control-request-method",
        HeaderValue::from_static("GET"),
    );
    request.headers_mut().insert(
        "access-control-request-headers",
        HeaderValue::from_static("authorization"),
    );
    request
}

/// R109: an origin that is not listed is never named back, and credentials go with a listed one
/// alone.
#[tokio::test]
async fn r109_no_stranger_is_named_back_with_credentials() {
    let app = App::new().await;
    let cookies = app.serving(cors_for_cookies(inner(&app.gate)));
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://evil.example", false),
        ("https://app.example.com.evil.example", false),
        ("http://app.example.com", false),
        ("null", false),
    ] {
        for answer in [
            cookies.send(preflight(origin)).await,
            cookies
                .send(from_origin(origin, request(Method::GET, "/me", None, None)))
                .await,
        ] {
            let named = answer
                .headers
                .get(ACCESS_CONTROL_ALLOW_ORIGIN)
                .map(|value| value.to_str().unwrap());
            assert_eq!(
                named,
                allowed
                    .then_some("https://app.example.com")
                    .filter(|_| allowed),
                "{origin}"
            );
        }
    }
    let bearers = app.serving(cors_for_bearers(inner(&app.gate)));
    for answer in [
        bearers.send(preflight("https://evil.example")).await,
        bearers
            .send(from_origin(
                "https://evil.example",
                request(Method::GET, "/me", None, None),
            ))
            .await,
    ] {
        assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(
            !answer
                .headers
                .contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS),
            "`*` with credentials"
        );
    }
}

/// A refusal is an answer like every other one: a page that may read answers may read it (BLOCKS,
/// pitfall 18).
#[tokio::test]
async fn r103_a_refusal_reaches_the_page_that_asked() {
    let app = App::new().await;
    let bearers = app.serving(cors_for_bearers(inner(&app.gate)));
    let refused = bearers
        .send(from_origin(
            "https://app.example.com",
            request(Method::GET, "/me", Some("garbage"), None),
        ))
        .await;
    refused.assert_problem(401, "invalid_token");
    assert_eq!(refused.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let exposed = refused.headers["access-control-expose-headers"]
        .to_str()
        .unwrap();
    assert!(
        exposed.contains("www-authenticate") && exposed.contains("retry-after"),
        "{exposed}"
    );
    let token = app.sign_in("ada@example.com").await.access;
    let good = bearers
        .send(from_origin(
            "https://app.example.com",
            request(Method::GET, "/me", Some(&token), None),
        ))
        .await;
    assert_eq!(good.status, StatusCode::OK);
}

/// R102: what the layers add takes nothing away.
#[tokio::test]
async fn the_headers_are_there_and_those_of_the_gate_stay() {
    let app = App::new().await;
    let served = app.serving(headers(inner(&app.gate)));
    let refused = served.send(request(Method::GET, "/me", None, None)).await;
    refused.assert_problem(401, "missing_token");
    for (name, value) in [
        (
            "strict-transport-security",
            "max-age=63072000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(refused.headers[name], value);
    }
}

#[tokio::test]
async fn plain_http_is_refused_before_anything_is_read() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    let served = app.serving(only_https(inner(&app.gate)));
    assert_eq!(
        served
            .send(request(Method::GET, "/me", Some(&token), None))
            .await
            .status,
        StatusCode::UPGRADE_REQUIRED
    );
    let mut https = request(Method::GET, "/me", Some(&token), None);
    https
        .headers_mut()
        .insert("x-forwarded-proto", HeaderValue::from_static("https"));
    assert_eq!(served.send(https).await.status, StatusCode::OK);
}

/// R112 for routes of the application; those of the gate have a limit of their own.
#[tokio::test]
async fn bodies_have_an_end_and_logs_no_tokens() {
    let app = App::new().await;
    let served = app.serving(limits_and_logs(inner(&app.gate)));
    let long = Request::post("/echo")
        .header("content-length", 2 << 20)
        .body(Body::from(vec![b'x'; 2 << 20]))
        .unwrap();
    assert_eq!(
        served.send(long).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let is_hidden = Router::new().route(
        "/",
        get(async |request: Request<Body>| format!("{:?}", request.headers().get(AUTHORIZATION))),
    );
    let shown = app
        .serving(limits_and_logs(is_hidden))
        .send(request(Method::GET, "/", Some("token"), None))
        .await;
    assert_eq!(shown.text, "Some(Sensitive)");
}

/// R105, R106: every place where a token must not stand, on a route of the application.
#[tokio::test]
async fn r105_a_token_in_an_address_is_no_credential_anywhere() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    for name in ["access_token", "token", "bearer", "authorization"] {
        let path = format!("/me?{name}={}", tokens.access);
        app.send(request(Method::GET, &path, None, None))
            .await
            .assert_problem(401, "missing_token");
    }
    let path = format!("/auth/refresh-access?refresh_token={}", tokens.refresh);
    let answer = app
        .send(request(
            Method::POST,
            &path,
            None,
            Some(serde_json::json!({})),
        ))
        .await;
    answer.assert_problem(400, "invalid_request");
    let answer = app.send(request(Method::GET, &path, None, None)).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let form = Request::post("/me").header("content-type", "application/x-www-form-urlencoded");
    let form = form
        .body(Body::from(format!("access_token={}", tokens.access)))
        .unwrap();
    assert_eq!(app.send(form).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// Bad input: a thousand headers, and one of 60 KB, beside a good token and without one.
#[tokio::test]
async fn a_flood_of_headers_changes_no_decision() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    for (bearer, status) in [
        (Some(token.as_str()), 200),
        (None, 401),
        (Some("garbage"), 401),
    ] {
        let mut flooded = request(Method::GET, "/me", bearer, None);
        for number in 0..1000 {
            let name: http::HeaderName = format!("x-flood-{number}").parse().unwrap();
            flooded
                .headers_mut()
                .insert(name, HeaderValue::from_static("x"));
        }
        flooded.headers_mut().insert(
            "x-long",
            HeaderValue::from_str(&"x".repeat(60_000)).unwrap(),
        );
        flooded
            .headers_mut()
            .insert("x-not-text", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(app.send(flooded).await.status.as_u16(), status);
    }
}
