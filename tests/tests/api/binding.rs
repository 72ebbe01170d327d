//! Tokens that count from where they belong alone: by the device's id, by the network.

use std::net::SocketAddr;
use std::ops::Deref;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;
use tollgate::device::Device;
use tollgate::event::{BoundTo, BoundToken, EventKind};
use tollgate::prelude::*;
use tollgate::settings::BindingMode;
use tollgate_tests::{Answer, App, PASSWORD, request};

/// An application whose clients come from somewhere.
struct World(App);

impl Deref for World {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl World {
    async fn new(access: (BindingMode, BindingMode), refresh: (BindingMode, BindingMode)) -> Self {
        let app = App::builder().change(move |gate| {
            gate.bind_access(access.0, access.1)
                .bind_refresh(refresh.0, refresh.1)
        });
        Self(app.build().await)
    }

    async fn send(&self, ip: &str, device: Option<&str>, mut request: Request<Body>) -> Answer {
        let peer: SocketAddr = format!("{ip}:1")
            .parse()
            .or_else(|_| format!("[{ip}]:1").parse())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(device) = device {
            request
                .headers_mut()
                .insert("x-device-id", HeaderValue::from_str(device).unwrap());
        }
        self.0.send(request).await
    }

    async fn sign_in(&self, ip: &str, device: Option<&str>) -> Answer {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "device_id": device });
        self.send(
            ip,
            None,
            request(Method::POST, "/auth/signin", None, Some(body)),
        )
        .await
    }

    async fn me(&self, ip: &str, device: Option<&str>, token: &str) -> Answer {
        self.send(ip, device, request(Method::GET, "/me", Some(token), None))
            .await
    }

    async fn refresh(&self, ip: &str, device: Option<&str>, token: &str) -> Answer {
        let body = json!({ "refresh_token": token, "device_id": device });
        self.send(
            ip,
            None,
            request(Method::POST, "/auth/refresh-access", None, Some(body)),
        )
        .await
    }

    fn mismatches(&self) -> Vec<(BoundToken, BoundTo, bool)> {
        let kinds = self
            .heard_kinds()
            .into_iter()
            .filter_map(|kind| match kind {
                EventKind::BindingMismatch {
                    token,
                    to,
                    enforced,
                } => Some((token, to, enforced)),
                _ => None,
            });
        kinds.collect()
    }
}

const OFF: (BindingMode, BindingMode) = (BindingMode::Off, BindingMode::Off);
const HOME: &str = "192.0.2.7";
const CELL: &str = "198.51.100.7";

#[tokio::test]
async fn by_default_neither_another_browser_nor_another_network_signs_anybody_out() {
    let world = World::new(OFF, OFF).await;
    let tokens = world.sign_in(HOME, Some("p1")).await.tokens();
    assert_eq!(
        world.me(CELL, Some("other"), &tokens.access).await.status,
        StatusCode::OK
    );
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        world
            .refresh(CELL, Some("other"), &tokens.refresh)
            .await
            .status,
        StatusCode::OK
    );
    assert!(world.mismatches().is_empty());
}

#[tokio::test]
async fn an_enforced_access_token_counts_from_its_device_and_network_alone() {
    let world = World::new((BindingMode::Enforce, BindingMode::Enforce), OFF).await;
    let tokens = world.sign_in(HOME, Some("p1")).await.tokens();
    for neighbour in [HOME, "192.0.2.200", "::ffff:192.0.2.9"] {
        assert_eq!(
            world.me(neighbour, Some("p1"), &tokens.access).await.status,
            StatusCode::OK,
            "{neighbour}"
        );
    }
    assert!(world.mismatches().is_empty());
    let (access, device, network) = (BoundToken::Access, BoundTo::Device, BoundTo::Network);
    for (ip, id, told) in [
        (CELL, Some("p1"), vec![(access, network, true)]),
        ("192.0.3.7", Some("p1"), vec![(access, network, true)]),
        ("2001:db8::1", Some("p1"), vec![(access, network, true)]),
        (HOME, Some("p2"), vec![(access, device, true)]),
        (HOME, None, vec![(access, device, true)]),
        (
            CELL,
            None,
            vec![(access, device, true), (access, network, true)],
        ),
    ] {
        world
            .me(ip, id, &tokens.access)
            .await
            .assert_problem(401, "invalid_token");
        assert_eq!(world.mismatches(), told, "{ip} {id:?}");
    }
    // Nobody was signed out.
    assert_eq!(
        world.me(HOME, Some("p1"), &tokens.access).await.status,
        StatusCode::OK
    );
    world.clock.advance(std::time::Duration::from_secs(60));
    let refreshed = world.refresh(CELL, None, &tokens.refresh).await.tokens();
    world
        .me(CELL, None, &refreshed.access)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(
        world.me(HOME, Some("p1"), &refreshed.access).await.status,
        StatusCode::OK
    );
    let gate = &world.gate;
    assert!(
        gate.verify(&refreshed.access).await.is_ok(),
        "compares nothing"
    );
    let mut client = Client::unknown();
    assert_eq!(
        gate.verify_from(&refreshed.access, &client)
            .await
            .unwrap_err()
            .code(),
        Code::InvalidToken
    );
    (client.ip, client.device) = (HOME.parse().ok(), Device::new(None, Some("p1".to_owned())));
    assert!(gate.verify_from(&refreshed.access, &client).await.is_ok());
}

/// A /56 of IPv6 is one customer.
#[tokio::test]
async fn a_network_of_ipv6_is_a_56() {
    let world = World::new((BindingMode::Off, BindingMode::Enforce), OFF).await;
    let tokens = world.sign_in("2001:db8:0:1200::1", None).await.tokens();
    assert_eq!(
        world
            .me("2001:db8:0:12ff::9", None, &tokens.access)
            .await
            .status,
        StatusCode::OK
    );
    world
        .me("2001:db8:0:1300::1", None, &tokens.access)
        .await
        .assert_problem(401, "invalid_token");
}

/// rotation.md section 2: 401 and an event, never a revocation.
#[tokio::test]
async fn an_enforced_refresh_token_is_refused_elsewhere_and_works_where_it_belongs() {
    let world = World::new(OFF, (BindingMode::Enforce, BindingMode::Enforce)).await;
    let tokens = world.sign_in(HOME, Some("p1")).await.tokens();
    world.clock.advance(std::time::Duration::from_secs(60));
    for (ip, id) in [(CELL, Some("p1")), (HOME, Some("p2")), (HOME, None)] {
        world
            .refresh(ip, id, &tokens.refresh)
            .await
            .assert_problem(401, "invalid_grant");
        assert_eq!(world.mismatches().len(), 1, "{ip} {id:?}");
        assert_eq!(
            world.me(CELL, None, &tokens.access).await.status,
            StatusCode::OK,
            "it was signed out"
        );
    }
    assert_eq!(
        world
            .refresh("192.0.2.99", Some("p1"), &tokens.refresh)
            .await
            .status,
        StatusCode::OK
    );
    // An old token is theft, from wherever it comes: the table comes first.
    world.clock.advance(std::time::Duration::from_secs(60));
    let second = world.refresh(HOME, Some("p1"), &tokens.refresh).await;
    assert_eq!(
        second.status,
        StatusCode::OK,
        "row 8: the answer may have been lost"
    );
}

#[tokio::test]
async fn an_old_token_is_theft_wherever_it_comes_from() {
    let world = World::new(OFF, (BindingMode::Enforce, BindingMode::Enforce)).await;
    let first = world.sign_in(HOME, Some("p1")).await.tokens();
    let mut last = first.clone();
    for _ in 0..2 {
        world.clock.advance(std::time::Duration::from_secs(60));
        last = world
            .refresh(HOME, Some("p1"), &last.refresh)
            .await
            .tokens();
    }
    world
        .refresh(CELL, Some("p2"), &first.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    world
        .me(HOME, None, &last.access)
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn what_is_recorded_is_told_of_and_refused_by_nobody() {
    let world = World::new(
        (BindingMode::Record, BindingMode::Record),
        (BindingMode::Record, BindingMode::Record),
    )
    .await;
    let tokens = world.sign_in(HOME, Some("p1")).await.tokens();
    assert_eq!(
        world.me(CELL, Some("p2"), &tokens.access).await.status,
        StatusCode::OK
    );
    let (device, network) = (BoundTo::Device, BoundTo::Network);
    assert_eq!(
        world.mismatches(),
        [
            (BoundToken::Access, device, false),
            (BoundToken::Access, network, false)
        ]
    );
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        world
            .refresh(CELL, Some("p2"), &tokens.refresh)
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        world.mismatches(),
        [
            (BoundToken::Refresh, device, false),
            (BoundToken::Refresh, network, false)
        ]
    );
    // A session without a device's id is bound to none.
    let nameless = world.sign_in(HOME, None).await.tokens();
    assert_eq!(
        world.me(HOME, Some("p2"), &nameless.access).await.status,
        StatusCode::OK
    );
    assert!(world.mismatches().is_empty());
}

/// Failing to decide is not deciding.
#[tokio::test]
async fn a_sign_in_that_cannot_be_bound_is_refused_where_binding_is_enforced() {
    let device = World::new(OFF, (BindingMode::Enforce, BindingMode::Off)).await;
    device
        .sign_in(HOME, None)
        .await
        .assert_problem(400, "invalid_request");
    assert_eq!(
        device.sign_in(HOME, Some("p1")).await.status,
        StatusCode::OK
    );
    let network = World::new((BindingMode::Off, BindingMode::Enforce), OFF).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = request(Method::POST, "/auth/signin", None, Some(body));
    let answer = network.0.send(request).await;
    answer.assert_problem(503, "unavailable");
}

/// P6: a request that is refused for its place is no proof that the answer of a refresh arrived.
#[tokio::test]
async fn a_token_used_from_elsewhere_confirms_nothing() {
    let world = World::new((BindingMode::Off, BindingMode::Enforce), OFF).await;
    let first = world.sign_in(HOME, None).await.tokens();
    world.clock.advance(std::time::Duration::from_secs(60));
    let lost = world.refresh(HOME, None, &first.refresh).await.tokens();
    world
        .me(CELL, None, &lost.access)
        .await
        .assert_problem(401, "invalid_token");
    world.settle().await;
    world.clock.advance(std::time::Duration::from_secs(25));
    assert_eq!(
        world.refresh(HOME, None, &first.refresh).await.status,
        StatusCode::OK
    );
}

/// The claim of a binding tells its reader neither the address nor the id.
#[tokio::test]
async fn the_claim_holds_neither_address_nor_id() {
    use base64::Engine as _;

    let world = World::new((BindingMode::Record, BindingMode::Record), OFF).await;
    let tokens = world.sign_in(HOME, Some("my-device")).await.tokens();
    let payload = tokens.access.split('.').nth(1).unwrap();
    let payload = String::from_utf8(
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(payload)
            .unwrap(),
    )
    .unwrap();
    assert!(
        payload.contains("\"bnd\":\"")
            && !payload.contains("my-device")
            && !payload.contains("192.0.2"),
        "{payload}"
    );
}
