//! Bodies that no honest client sends: the listed problem, no state changed, no echo, no memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tollgate_tests::serve::Server;
use tollgate_tests::{Answer, App, PASSWORD, routes};

async fn post(app: &App, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/auth/signin");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    app.send(request.body(body.into()).unwrap()).await
}

/// R108, R110.
#[tokio::test]
async fn only_json_is_read() {
    let app = App::new().await;
    let good = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    for bad in [
        None,
        Some("text/plain"),
        Some("text/plain; charset=application/json"),
        Some("application/x-www-form-urlencoded"),
    ] {
        post(&app, bad, good.clone())
            .await
            .assert_problem(415, "unsupported_media_type");
    }
    for fine in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        assert_eq!(
            post(&app, Some(fine), good.clone()).await.status,
            StatusCode::OK,
            "{fine}"
        );
    }
}

#[tokio::test]
async fn a_malformed_body_is_refused_without_an_echo() {
    let app = App::new().await;
    let long = format!(
        "{{\"email\":\"ada@example.com\",\"password\":\"{}\"}}",
        "x".repeat(1025)
    );
    let (no_json, no_object) = ("the body is not JSON", "the body is not a JSON object");
    let deep = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let device =
        json!({ "email": "ada@example.com", "password": PASSWORD, "device_name": "x".repeat(129) });
    let device = device.to_string();
    let bodies: [(&[u8], &str); 15] = [
        (b"", no_json),
        (b"{", no_json),
        (b"secret-marker", no_json),
        (b"null", no_object),
        (b"[]", no_object),
        (b"\"secret-marker\"", no_object),
        (b"{\"email\":\"secret-marker\"}", "`password` is missing"),
        (
            b"{\"email\":1,\"password\":\"secret-marker\"}",
            "`email` has another type, or is too long",
        ),
        (
            b"{\"email\":\"a\",\"email\":\"b\",\"password\":\"secret-marker\"}",
            "`email` is there more than once",
        ),
        (b"\xff\xfe{}", no_json),
        (b"{\"email\":\"\xc3\x28\",\"password\":\"x\"}", no_json),
        (
            b"{\"email\":\"a\",\"password\":\"x\",\"device_id\":7}",
            "`device_id` has another type, or is too long",
        ),
        (
            long.as_bytes(),
            "`password` has another type, or is too long",
        ),
        (deep.as_bytes(), no_json),
        (
            device.as_bytes(),
            "`device_name` has another type, or is too long",
        ),
    ];
    for (body, detail) in bodies {
        let answer = post(&app, Some("application/json"), body.to_vec()).await;
        answer.assert_problem(400, "invalid_request");
        assert!(!answer.text.contains("secret-marker"));
        assert_eq!(answer.json()["detail"], detail);
    }
    assert_eq!(app.accounts.authentications.load(Ordering::SeqCst), 0);
}

/// R112, over a real socket: a body of 100 MB is refused by its announced length, and a chunked one
/// after 16 KiB.
#[tokio::test]
async fn a_body_of_100_megabytes_is_not_read() {
    let app = App::new().await;
    let server = Server::start(routes(&app.gate)).await;
    let head = "POST /auth/signin HTTP/1.1\r\nhost: a\r\ncontent-type: \
                application/json\r\nconnection: close\r\n";

    let mut announced = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    announced
        .write_all(format!("{head}content-length: 104857600\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    announced.read_to_end(&mut answer).await.unwrap();
    assert!(
        String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 413"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    let mut chunked = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    chunked
        .write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
    let (mut reader, mut writer) = chunked.into_split();
    let mut sent = 0;
    // The server may close while this writes; that is the point.
    while sent < 100 << 20 && writer.write_all(&chunk).await.is_ok() {
        sent += 0x8000;
    }
    let mut answer = Vec::new();
    _ = reader.read_to_end(&mut answer).await;
    assert!(sent < 50 << 20, "{sent} bytes were taken");
    if !answer.is_empty() {
        assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 413"));
    }
}

/// R3, R112.
#[tokio::test]
async fn an_oversized_token_is_refused_wherever_it_comes() {
    let app = App::new().await;
    let huge = "a".repeat(15 * 1024);
    app.get("/me", &huge)
        .await
        .assert_problem(401, "invalid_token");
    app.get("/me", &".".repeat(15 * 1024))
        .await
        .assert_problem(401, "invalid_token");
    app.refresh(&huge)
        .await
        .assert_problem(401, "invalid_grant");
    app.refresh(&"a".repeat(17 * 1024))
        .await
        .assert_problem(413, "payload_too_large");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for_forever() {
    let app = App::new().await;
    let body = Body::new(StreamBody::new(futures_util::stream::pending::<
        Result<Frame<bytes::Bytes>, std::io::Error>,
    >()));
    post(&app, Some("application/json"), body)
        .await
        .assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_not_read() {
    let app = App::new().await;
    let was_read = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&was_read);
    let body = Body::new(StreamBody::new(futures_util::stream::once(async move {
        flag.store(true, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Frame::data(bytes::Bytes::from_static(b"{}")))
    })));
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/auth/reauthenticate")
        .body(body)
        .unwrap();
    request
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    request
        .headers_mut()
        .insert("authorization", "Bearer garbage".parse().unwrap());
    app.send(request).await.assert_problem(401, "invalid_token");
    assert!(!was_read.load(Ordering::SeqCst));
}

/// A reader that takes the first of two members and a gate that takes the last would speak of
/// different tokens.
#[tokio::test]
async fn a_token_that_comes_twice_is_refused() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.refresh;
    for (path, name) in [
        ("/auth/refresh-access", "refresh_token"),
        ("/auth/refresh-access", "refresh_\\u0074oken"),
        ("/auth/signout", "refresh_token"),
        ("/auth/verify", "token"),
        ("/auth/revoke", "token"),
    ] {
        let plain = name.replace("\\u0074", "t");
        let body = format!("{{\"{name}\":\"{token}\",\"{plain}\":\"{token}\"}}");
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        app.send(request)
            .await
            .assert_problem(400, "invalid_request");
    }
    let tokens = app.refresh(&token).await.tokens();

    // Beside a bearer too: whatever the body says of it, it is a second credential.
    for body in [
        format!("{{\"refresh_token\":\"{token}\",\"refresh_token\":\"{token}\"}}"),
        "{\"refresh_token\":7}".into(),
    ] {
        let request = Request::post("/auth/signout").header("content-type", "application/json");
        let request = request
            .header("authorization", format!("Bearer {}", tokens.access))
            .body(Body::from(body))
            .unwrap();
        app.send(request)
            .await
            .assert_problem(400, "invalid_request");
    }
    assert_eq!(app.get("/me", &tokens.access).await.status, StatusCode::OK);
}
