//! A whole gate, to which requests come with headers from outside.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use tokio::runtime::Runtime;
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::settings::ForwardedHeader;
use tower::ServiceExt as _;

use super::spliced;

/// A user with something to hide.
#[derive(Clone, Debug, JwtClaims)]
struct Patient {
    #[claim(sub)]
    id: u64,
    #[claim(confidential)]
    diagnosis: String,
}

/// A user of a browser.
#[derive(Clone, Debug, JwtClaims)]
struct Visitor {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(username, user = Patient, refresh(from = stored))]
struct Clinic;

impl Authenticate for Clinic {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Patient, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[auth_backend(username, user = Visitor, refresh(from = stored))]
struct Shop;

impl Authenticate for Shop {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Visitor, AuthError> {
        Err(AuthError::Invalid)
    }
}

struct World {
    runtime: Runtime,
    clinic: Gate<Clinic>,
    encrypted: String,
    shop: Gate<Shop>,
    app: Router,
    bearer: String,
    _clock: Clock,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (clinic, encrypted, shop, bearer, clock) = runtime.block_on(async {
        let (builder, _) = tollgate::testing::ready(Clinic.gate()).unwrap();
        let clinic = builder.encrypt(Encrypted::A256Gcm).build().await.unwrap();
        let patient = Patient {
            id: 7,
            diagnosis: "hiccups".to_owned(),
        };
        let issued = clinic.sign_in(patient, &Client::unknown()).await.unwrap();
        let (builder, clock) = tollgate::testing::ready(Shop.gate()).unwrap();
        let mut settings = Settings::default();
        settings.cookies.path = Some("/auth".to_owned());
        settings.client.proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.client.header = ForwardedHeader::Forwarded;
        let shop = builder.settings(settings).build().await.unwrap();
        let bearer = tollgate::testing::bearer(&shop, Visitor { id: 7 });
        let bearer = bearer.await.unwrap();
        (clinic, issued.access_token, shop, bearer, clock)
    });
    let app = Router::new().route("/me", get(me));
    let app = shop.install(app).with_state(shop.clone());
    let world = World {
        runtime,
        clinic,
        encrypted,
        shop,
        app,
        bearer,
        _clock: clock,
    };
    assert!(world.opens(&world.encrypted));
    let good = world.ask("authorization", world.bearer.as_bytes());
    assert_eq!(good, Some(StatusCode::OK));
    world
});

async fn me(user: Auth<Visitor>) -> String {
    user.token().subject().to_owned()
}

impl World {
    fn opens(&self, token: &str) -> bool {
        self.runtime.block_on(self.clinic.verify(token)).is_ok()
    }

    /// The status of a request with a header; `None` where no request can have it.
    fn ask(&self, name: &'static str, value: &[u8]) -> Option<StatusCode> {
        let value = HeaderValue::from_bytes(value).ok()?;
        let mut request = Request::get("/me").body(Body::empty()).unwrap();
        let name = HeaderName::from_static(name);
        request.headers_mut().insert(name, value);
        let answer = self.app.clone().oneshot(request);
        Some(self.runtime.block_on(answer).unwrap().status())
    }
}

fn text_of<'a>(good: &str, data: &'a [u8]) -> Option<std::borrow::Cow<'a, [u8]>> {
    match data.split_first()? {
        (0..=127, rest) => Some(rest.into()),
        (_, rest) => Some(spliced(good, rest).into()),
    }
}

/// Reads encrypted tokens: nobody changes one and has it read.
pub fn jwe(data: &[u8]) {
    let world = &*WORLD;
    let Some(text) = text_of(&world.encrypted, data) else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(&text)
        && world.opens(text)
    {
        assert_eq!(text, world.encrypted, "a token that nobody issued");
    }
}

/// Reads the header of a bearer token.
pub fn authorization(data: &[u8]) {
    let world = &*WORLD;
    let Some(value) = text_of(&world.bearer, data) else {
        return;
    };
    let token = world.bearer.split(' ').nth(1).unwrap();
    match world.ask("authorization", &value) {
        None | Some(StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST) => {}
        Some(StatusCode::OK) => {
            let text = std::str::from_utf8(&value).unwrap();
            assert!(text.trim_end().ends_with(token), "{text:?}");
        }
        Some(status) => panic!("{status}: {value:?}"),
    }
}

/// Reads the header of cookies.
pub fn cookie_header(data: &[u8]) {
    let world = &*WORLD;
    let token = world.bearer.split(' ').nth(1).unwrap();
    let good = format!("a=b; __Host-tollgate-access={token}; c=\"d\"");
    let Some(value) = text_of(&good, data) else {
        return;
    };
    match world.ask("cookie", &value) {
        None | Some(StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST) => {}
        Some(StatusCode::OK) => {
            let text = String::from_utf8_lossy(&value);
            assert!(text.contains(token), "{text:?}");
        }
        Some(status) => panic!("{status}: {value:?}"),
    }
}

/// Reads the headers in which proxies write addresses: of a connection from elsewhere they mean
/// nothing.
pub fn forwarded(data: &[u8]) {
    let world = &*WORLD;
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let name = if mode % 2 == 0 { "forwarded" } else { "x-forwarded-for" };
    for peer in ["127.0.0.1:1", "192.0.2.7:1"] {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::get("/").body(()).unwrap();
        request.headers_mut().insert(name, value.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        let (parts, ()) = request.into_parts();
        let client = world.shop.client(&parts);
        if peer.ip() == IpAddr::from([192, 0, 2, 7]) || name == "x-forwarded-for" {
            assert_eq!(client.ip, Some(peer.ip()));
        }
    }
}
