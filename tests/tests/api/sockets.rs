//! Open web sockets over real connections: what closes them, and after how long; and a client of
//! gRPC that reads the status of a refusal.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{any, post};
use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::StreamExt as _;
use http::uri::PathAndQuery;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tollgate::prelude::*;
use tollgate::store::MemoryStore;
use tollgate_tests::serve::Server;
use tollgate_tests::{Accounts, Admins, App, User};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::{Request, Status};

/// The protocol that the sockets speak.
const CHAT: &str = "chat";

/// Holds a socket until its caller is not signed in any more, and says why.
async fn socket(user: Auth<User>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols([CHAT])
        .on_upgrade(async move |mut socket| {
            let why = format!("{:?}", user.ended().await);
            let close = CloseFrame {
                code: 4401,
                reason: why.into(),
            };
            let _ = socket.send(Message::Close(Some(close))).await;
        })
}

/// Two nodes of one deployment; the first serves the sockets.
struct Nodes {
    here: App,
    there: App,
    server: Server,
}

impl Nodes {
    async fn start() -> Self {
        let (store, ring) = (
            MemoryStore::new(),
            KeyRing::generate(Algorithm::EdDSA).unwrap(),
        );
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
        let router = Router::new()
            .route("/socket", any(socket))
            .with_state(here.gate.clone());
        Self {
            server: Server::start(router).await,
            here,
            there,
        }
    }

    /// Opens so many sockets of a user, each with a session of its own. Each task answers when its
    /// socket was closed, and why.
    async fn open(
        &self,
        email: &str,
        count: usize,
    ) -> Vec<tokio::task::JoinHandle<(Instant, String)>> {
        let url = format!("ws://{}/socket", self.server.address);
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let user = self.here.accounts.user(email);
            let issued = self
                .here
                .gate
                .sign_in(user, &Client::unknown())
                .await
                .unwrap();
            let mut request = url.as_str().into_client_request().unwrap();
            let protocols = format!("{CHAT}, tollgate.bearer.{}", issued.access_token);
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocols.parse().unwrap());
            let (mut socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
            assert_eq!(answer.headers()["sec-websocket-protocol"], CHAT);
            open.push(tokio::spawn(async move {
                let message = socket.next().await.unwrap().unwrap();
                let closed = Instant::now();
                let tokio_tungstenite::tungstenite::Message::Close(Some(close)) = message else {
                    panic!("{message:?}")
                };
                assert_eq!(u16::from(close.code), 4401);
                (closed, close.reason.to_string())
            }));
        }
        open
    }
}

/// The number of sockets: a thousand in the deep run.
fn count() -> usize {
    let count = std::env::var("OPEN_SOCKETS").ok();
    count.map_or(100, |count| count.parse().unwrap())
}

/// A revocation, a change of a role, a key that is retired, and `everything`, each on the other
/// node: every socket is closed, and the largest delay is printed.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_another_node_closes_every_open_socket() {
    for what in [
        "a revocation",
        "a change of a role",
        "a retired key",
        "everything",
    ] {
        let nodes = Nodes::start().await;
        let (ada, gate) = (
            nodes.here.accounts.id_of("ada@example.com"),
            &nodes.there.gate,
        );
        let mut grace = nodes.open("grace@example.com", 1).await.remove(0);
        let open = nodes.open("ada@example.com", count()).await;
        let began = Instant::now();
        match what {
            "a revocation" => drop(gate.revoke(Revoke::subject(ada)).await.unwrap()),
            "a change of a role" => {
                drop(gate.claims_changed(&ada, Access::RefreshNow).await.unwrap());
            }
            "a retired key" => gate.keys().retire(&gate.keys().current()).await.unwrap(),
            _ => drop(gate.revoke(Revoke::everything()).await.unwrap()),
        }
        let (mut slowest, count) = (Duration::ZERO, open.len());
        for socket in open {
            let (closed, why) = timeout(PATIENCE, socket).await.unwrap().unwrap();
            assert_eq!(why, "Revoked", "{what}");
            slowest = slowest.max(closed.duration_since(began));
        }
        println!("{what}: {count} sockets closed, the last one after {slowest:?}");
        if ["a retired key", "everything"].contains(&what) {
            let (_, why) = timeout(PATIENCE, grace).await.unwrap().unwrap();
            assert_eq!(why, "Revoked", "{what}");
        } else {
            let stays = timeout(Duration::from_millis(50), &mut grace).await;
            assert!(stays.is_err(), "{what} is of another user");
        }
    }
}

/// Messages as they are.
#[derive(Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

/// A client of tonic that calls a route of the shape of gRPC.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_tonic_reads_the_status_of_a_refusal() {
    let app = App::new().await;
    let answer = async || {
        // A message of the length 2, and the status behind it.
        let message = Bytes::from_static(b"\0\0\0\0\x02in");
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [
            http_body::Frame::data(message),
            http_body::Frame::trailers(trailers),
        ];
        let frames = frames.map(Ok::<_, std::convert::Infallible>);
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
        Response::builder()
            .header("content-type", "application/grpc")
            .body(axum::body::Body::new(body))
            .unwrap()
    };
    let router = Router::new()
        .route(
            "/greeter.Greeter/Greet",
            post(async move |_: Auth<User>| answer().await),
        )
        .route(
            "/greeter.Greeter/Rule",
            post(async move |_: Auth<User, Admins>| answer().await),
        )
        .with_state(app.gate.clone());
    let server = Server::start(router).await;
    let grace = app.sign_in("grace@example.com").await.access;
    let ada = app.sign_in("ada@example.com").await.access;
    let address = format!("http://{}", server.address);
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap();
    let channel = channel.connect().await.unwrap();
    let call = async |method: &'static str, token: Option<&str>| {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let mut request = Request::new(Bytes::from_static(b"hello"));
        if let Some(token) = token {
            let bearer = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
            request.metadata_mut().insert("authorization", bearer);
        }
        let path = PathAndQuery::from_static(method);
        client.unary(request, path, Plain).await
    };
    let (greet, rule) = ("/greeter.Greeter/Greet", "/greeter.Greeter/Rule");
    let refused = async |method, token| {
        let status = call(method, token).await.unwrap_err();
        (status.code(), status.message().to_owned())
    };
    let answer = call(rule, Some(&ada)).await.unwrap();
    assert_eq!(answer.into_inner(), Bytes::from_static(b"in"));
    for (method, token, code, message) in [
        (greet, None, tonic::Code::Unauthenticated, "missing_token"),
        (
            greet,
            Some("nonsense"),
            tonic::Code::Unauthenticated,
            "invalid_token",
        ),
        (
            rule,
            Some(&*grace),
            tonic::Code::PermissionDenied,
            "forbidden",
        ),
    ] {
        assert_eq!(refused(method, token).await, (code, message.to_owned()));
    }
    app.gate.pause().await.unwrap();
    let paused = refused(greet, Some(&*ada)).await;
    assert_eq!(paused, (tonic::Code::Unavailable, "unavailable".to_owned()));
}

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);
