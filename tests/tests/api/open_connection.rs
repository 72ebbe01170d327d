//! Connections that outlive their request: what ends them, how they go on, and how a web socket and
//! a client of gRPC bring a token.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get, post};
use http::{HeaderMap, Method, Request};
use tokio::time::timeout;
use tollgate::gate::EndSessions;
use tollgate::prelude::*;
use tollgate::session::Ended;
use tollgate::store::MemoryStore;
use tollgate::testing::auth;
use tollgate_tests::{Accounts, Admins, App, User, request};

use super::cookies::{ACCESS, settings, signed_in};

/// Waits for the end, for as long as a busy machine may take.
async fn end(caller: &Auth<User>) -> Ended {
    timeout(Duration::from_secs(30), caller.ended())
        .await
        .expect("the connection ends")
}

/// Returns why a connection has ended by now, without waiting for anything.
async fn ended_by_now(caller: &Auth<User>) -> Option<Ended> {
    timeout(Duration::ZERO, caller.ended()).await.ok()
}

/// Returns whether a connection is open still, after all who wait were asked.
async fn is_open(caller: &Auth<User>) -> bool {
    timeout(Duration::from_millis(50), caller.ended())
        .await
        .is_err()
}

async fn ada(app: &App) -> Auth<User> {
    auth(&app.gate, app.accounts.user("ada@example.com"))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_revocation_ends_the_connections_that_it_names_and_no_others() {
    let app = App::new().await;
    let grace = auth(&app.gate, app.accounts.user("grace@example.com"))
        .await
        .unwrap();
    let subject = app.accounts.id_of("ada@example.com");
    for what in 0..6 {
        let caller = ada(&app).await;
        let token = caller.token().clone();
        let waiting = tokio::spawn(async move { end(&caller).await });
        tokio::task::yield_now().await;
        match what {
            0 => drop(
                app.gate
                    .revoke(Revoke::session(token.sid().unwrap()))
                    .await
                    .unwrap(),
            ),
            1 => drop(app.gate.revoke(Revoke::token(token.jti())).await.unwrap()),
            2 => drop(app.gate.revoke(Revoke::subject(subject)).await.unwrap()),
            3 => {
                let changed = app.gate.claims_changed(&subject, Access::RefreshNow);
                drop(changed.await.unwrap());
            }
            4 => {
                let changed = app.gate.credentials_changed(&subject, EndSessions::All);
                drop(changed.await.unwrap());
            }
            _ => {
                assert!(is_open(&grace).await, "it is another user's");
                drop(app.gate.revoke(Revoke::everything()).await.unwrap());
            }
        }
        assert_eq!(waiting.await.unwrap(), Ended::Revoked, "{what}");
        app.wait(2);
    }
    assert_eq!(end(&grace).await, Ended::Revoked);
}

#[tokio::test]
async fn what_ended_before_anybody_waited_has_ended() {
    let app = App::new().await;
    let caller = ada(&app).await;
    let sid = caller.token().sid().unwrap();
    app.gate.revoke(Revoke::session(sid)).await.unwrap();
    assert_eq!(ended_by_now(&caller).await, Some(Ended::Revoked));
    let caller = ada(&app).await;
    assert_eq!(ended_by_now(&caller).await, None);
    app.gate.pause().await.unwrap();
    assert_eq!(ended_by_now(&caller).await, Some(Ended::Paused));
    app.gate.resume().await.unwrap();
    assert!(is_open(&caller).await);
}

#[tokio::test]
async fn a_connection_ends_with_its_token_and_without_leeway() {
    let app = App::new().await;
    let caller = ada(&app).await;
    let left = caller.token().expires_at().since(app.clock.now());
    app.clock.advance(left - Duration::from_millis(1));
    assert!(is_open(&caller).await);
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(ended_by_now(&caller).await, Some(Ended::Expired));
    // One that is waited for is woken.
    let caller = ada(&app).await;
    let left = caller.token().expires_at().since(app.clock.now());
    let waiting = tokio::spawn(async move { end(&caller).await });
    tokio::task::yield_now().await;
    app.clock.advance(left);
    assert_eq!(waiting.await.unwrap(), Ended::Expired);
}

#[tokio::test]
async fn a_new_token_of_the_same_session_moves_the_end() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let others = app.sign_in("ada@example.com").await;
    let grace = app.sign_in("grace@example.com").await;
    let handler = async |mut caller: Auth<User, Admins>, headers: HeaderMap| {
        let text = headers["x-new"].to_str().unwrap().to_owned();
        let before = caller.token().expires_at();
        match caller.renew(&text).await {
            Ok(()) => format!("{}", caller.token().expires_at() > before),
            Err(rejection) => {
                assert_eq!(caller.token().expires_at(), before);
                rejection.code().as_str().to_owned()
            }
        }
    };
    let router = Router::new()
        .route("/renew", get(handler))
        .with_state(app.gate.clone());
    let served = app.serving(router);
    let renew = async |new: &str| {
        let mut request = request(Method::GET, "/renew", Some(&tokens.access), None);
        request.headers_mut().insert("x-new", new.parse().unwrap());
        served.send(request).await.text
    };
    app.wait(60);
    let new = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(renew(&new.access).await, "true");
    for other in [&others.access, &grace.access, "nonsense"] {
        assert_eq!(renew(other).await, "invalid_token");
    }
    // The same session, and the policy does not hold any more.
    app.accounts.set_roles("ada@example.com", vec![]);
    app.wait(60);
    let poorer = app.refresh(&new.refresh).await.tokens();
    assert_eq!(renew(&poorer.access).await, "forbidden");
}

/// The other node learns of it from the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_on_another_node_ends_a_thousand_connections() {
    let store = MemoryStore::new();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let accounts = Accounts::seeded();
    let node = async || {
        App::builder()
            .accounts(&accounts)
            .store(store.clone())
            .keys(&ring)
            .build()
            .await
    };
    let (here, there) = (node().await, node().await);
    let mut waiting = Vec::new();
    for _ in 0..1000 {
        let caller = ada(&here).await;
        waiting.push(tokio::spawn(async move { end(&caller).await }));
    }
    there.gate.revoke(Revoke::everything()).await.unwrap();
    for ended in waiting {
        assert_eq!(ended.await.unwrap(), Ended::Revoked);
    }
}

/// An application with a web socket: what the handler sees of the header is its answer.
async fn socket() -> App {
    let app = App::with(settings()).await;
    let seen = |headers: &HeaderMap| {
        let lines = headers.get_all("sec-websocket-protocol").iter();
        lines
            .map(|line| line.to_str().unwrap())
            .collect::<Vec<_>>()
            .join("|")
    };
    let router = Router::new()
        .route(
            "/socket",
            any(
                async move |user: Auth<User>, again: Auth<User>, headers: HeaderMap| {
                    assert_eq!(user.subject(), again.subject());
                    format!("{:?} {}", user.transport(), seen(&headers))
                },
            ),
        )
        .with_state(app.gate.clone());
    let router = tollgate_tests::routes(&app.gate).merge(router);
    app.serving(router)
}

fn handshake(protocols: &[&str]) -> Request<Body> {
    let mut request = Request::get("/socket")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-fetch-site", "cross-site");
    for line in protocols {
        request = request.header("sec-websocket-protocol", *line);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_web_socket_brings_its_token_in_a_protocol() {
    let app = socket().await;
    let (jar, _) = signed_in(&app).await;
    let token = jar.value(ACCESS).to_owned();
    let bearer = format!("tollgate.bearer.{token}");
    for lines in [
        &[&*format!("{bearer}, chat")][..],
        &["chat", &bearer],
        &[&*format!("chat,{bearer} "), "other"],
    ] {
        let answer = app.send(handshake(lines)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains(&token), "{}", answer.text);
        assert!(answer.text.starts_with("Bearer") && answer.text.contains("chat"));
    }
    // The cookie beside it, which a browser adds by itself, is not looked at.
    let beside = jar.send(handshake(&[&bearer, "chat"]));
    assert_eq!(app.send(beside).await.status, 200);
    // The cookie alone is refused: the page is of another origin.
    app.send(jar.send(handshake(&["chat"])))
        .await
        .assert_problem(403, "csrf");
}

#[tokio::test]
async fn a_protocol_with_a_token_that_is_out_of_order_is_refused() {
    let app = socket().await;
    let token = signed_in(&app).await.0.value(ACCESS).to_owned();
    let bearer = format!("tollgate.bearer.{token}");
    let two = app
        .send(handshake(&[&bearer, "tollgate.bearer.x", "chat"]))
        .await;
    two.assert_problem(400, "invalid_request");
    let one_line = format!("{bearer}, {bearer}, chat");
    app.send(handshake(&[&one_line]))
        .await
        .assert_problem(400, "invalid_request");
    app.send(handshake(&[&bearer]))
        .await
        .assert_problem(400, "invalid_request");
    app.send(handshake(&[&bearer, " , "]))
        .await
        .assert_problem(400, "invalid_request");
    let mut both = handshake(&[&bearer, "chat"]);
    both.headers_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    app.send(both).await.assert_problem(400, "invalid_request");
    let wrong = app
        .send(handshake(&["tollgate.bearer.nonsense", "chat"]))
        .await;
    wrong.assert_problem(401, "invalid_token");
    let empty = app.send(handshake(&["tollgate.bearer.", "chat"])).await;
    empty.assert_problem(401, "invalid_token");
    // Without an upgrade it is no credential.
    let mut plain = handshake(&[&bearer, "chat"]);
    plain.headers_mut().remove("upgrade");
    app.send(plain).await.assert_problem(401, "missing_token");
}

#[tokio::test]
async fn a_client_of_grpc_reads_a_status() {
    let mut settings = Settings::default();
    settings.access.ttl = Duration::from_secs(60);
    let app = App::with(settings).await;
    let router = Router::new()
        .route("/call", post(async |_: Auth<User>| "in"))
        .route("/admins", post(async |_: Auth<User, Admins>| "in"))
        .route_layer(app.gate.require::<Anyone>())
        .with_state(app.gate.clone());
    let served = app.serving(router);
    let grace = app.sign_in("grace@example.com").await.access;
    let call = async |path: &str, media: &str, token: Option<&str>| {
        let mut request = request(Method::POST, path, token, None);
        request
            .headers_mut()
            .insert("content-type", media.parse().unwrap());
        served.send(request).await
    };
    for media in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web",
        "application/grpc-web-text+proto",
        "application/grpc;x=y",
    ] {
        for (path, token, status, message) in [
            ("/call", None, "16", "missing_token"),
            ("/call", Some("nonsense"), "16", "invalid_token"),
            ("/admins", Some(&*grace), "7", "forbidden"),
        ] {
            let answer = call(path, media, token).await;
            assert_eq!(answer.status, 200, "{media}");
            assert_eq!(answer.headers["grpc-status"], status, "{media}");
            assert_eq!(answer.headers["grpc-message"], message);
            assert_eq!(answer.headers["content-type"], media);
            assert!(answer.text.is_empty());
        }
    }
    assert_eq!(
        call("/call", "application/grpc", Some(&grace)).await.text,
        "in"
    );
    for media in ["application/grpcx", "application/json", "text/plain"] {
        call("/call", media, None)
            .await
            .assert_problem(401, "missing_token");
    }
    app.gate.pause().await.unwrap();
    let paused = call("/call", "application/grpc", Some(&grace)).await;
    assert_eq!(
        (paused.status.as_u16(), &paused.headers["grpc-status"]),
        (200, &"14".parse().unwrap())
    );
    app.gate.resume().await.unwrap();
    let mut twice = request(Method::POST, "/call", Some(&grace), None);
    twice
        .headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    twice
        .headers_mut()
        .append("authorization", "Bearer x".parse().unwrap());
    assert_eq!(served.send(twice).await.headers["grpc-status"], "3");
}
