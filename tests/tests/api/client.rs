//! The origin of a request: the connection's address, that of trusted proxies, and what a client
//! says of its device.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::settings::ForwardedHeader;
use tollgate::store::MemoryStore;
use tollgate_tests::{Accounts, App, PASSWORD, START, Tokens, request};

/// A request as from a connection of `peer`, with these headers beside.
fn from(peer: &str, mut request: Request<Body>, headers: &[(&str, &[u8])]) -> Request<Body> {
    let peer: SocketAddr = format!("{peer}:4711")
        .parse()
        .or_else(|_| format!("[{peer}]:4711").parse())
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    for (name, value) in headers {
        request.headers_mut().append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    request
}

fn login() -> Request<Body> {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "device_name": "phone", "device_id": "p1" });
    request(Method::POST, "/auth/signin", None, Some(body))
}

/// Signs in so, and returns the session as the list shows it.
async fn listed(app: &App, peer: &str, headers: &[(&str, &[u8])]) -> Value {
    let tokens = app.send(from(peer, login(), headers)).await.tokens();
    let list = app.get("/auth/sessions", &tokens.access).await.json();
    list.as_array()
        .unwrap()
        .iter()
        .find(|session| session["current"] == true)
        .unwrap()
        .clone()
}

async fn proxied(header: ForwardedHeader) -> App {
    let mut settings = Settings::default();
    settings.client.proxies = vec![
        "10.0.0.0/8".parse().unwrap(),
        "2001:db8:1::/48".parse().unwrap(),
    ];
    settings.client.header = header;
    App::with(settings).await
}

/// R111.
#[tokio::test]
async fn without_trusted_proxies_the_address_is_that_of_the_connection() {
    let app = App::new().await;
    let forged: &[(&str, &[u8])] = &[
        ("x-forwarded-for", b"192.0.2.1"),
        ("forwarded", b"for=192.0.2.1"),
        ("x-real-ip", b"192.0.2.1"),
    ];
    assert_eq!(
        listed(&app, "203.0.113.9", forged).await["ip"],
        "203.0.113.9"
    );
    assert_eq!(
        listed(&app, "::ffff:203.0.113.9", forged).await["ip"],
        "203.0.113.9"
    );
    assert_eq!(
        app.send(login()).await.status,
        StatusCode::OK,
        "without connection info nothing is known"
    );
}

/// R111: what the client writes itself stands to the left of what the proxies write.
#[tokio::test]
async fn a_forged_chain_ends_where_trust_ends() {
    let app = proxied(ForwardedHeader::XForwardedFor).await;
    for (peer, lines, ip) in [
        ("203.0.113.9", &["192.0.2.1"][..], "203.0.113.9"),
        ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["127.0.0.1, 10.9.9.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["127.0.0.1", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["127.0.0.1, 192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        ("10.0.0.1", &["192.0.2.1:55555"], "192.0.2.1"),
        ("10.0.0.1", &["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
        ("2001:db8:1::1", &["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1, "], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1, 1.2.3.4.5"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1, \u{fc}"], "10.0.0.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
    ] {
        let headers: Vec<(&str, &[u8])> = lines
            .iter()
            .map(|line| ("x-forwarded-for", line.as_bytes()))
            .collect();
        assert_eq!(
            listed(&app, peer, &headers).await["ip"],
            ip,
            "{peer} {lines:?}"
        );
    }
    // The other header is anybody's.
    assert_eq!(
        listed(&app, "10.0.0.1", &[("forwarded", b"for=192.0.2.1")]).await["ip"],
        "10.0.0.1"
    );
}

/// R111, RFC 7239.
#[tokio::test]
async fn the_standard_header_is_read_where_the_proxies_write_it() {
    let app = proxied(ForwardedHeader::Forwarded).await;
    for (line, ip) in [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=\"[2001:db8::7]:4711\"", "2001:db8::7"),
        (
            "for=127.0.0.1, for=192.0.2.1;proto=https;by=10.0.0.9",
            "192.0.2.1",
        ),
        ("for=127.0.0.1, for=192.0.2.1:80, for=10.0.0.7", "192.0.2.1"),
        ("for=192.0.2.1, for=unknown", "10.0.0.1"),
        ("for=192.0.2.1, for=_hidden", "10.0.0.1"),
        ("for=192.0.2.1, proto=https", "10.0.0.1"),
        ("for=192.0.2.1, garbage", "10.0.0.1"),
        ("for=192.0.2.1;for=192.0.2.2, for=", "10.0.0.1"),
        ("for=\"127.0.0.1, for=192.0.2.1", "192.0.2.1"),
    ] {
        assert_eq!(
            listed(&app, "10.0.0.1", &[("forwarded", line.as_bytes())]).await["ip"],
            ip,
            "{line}"
        );
    }
    assert_eq!(
        listed(&app, "10.0.0.1", &[("x-forwarded-for", b"192.0.2.1")]).await["ip"],
        "10.0.0.1"
    );
}

/// Bad input: a chain of 60 KB, and a thousand lines of it.
#[tokio::test]
async fn a_chain_without_end_is_cut() {
    let app = proxied(ForwardedHeader::XForwardedFor).await;
    let long = vec!["10.0.0.2"; 6000].join(",");
    assert_eq!(
        listed(&app, "10.0.0.1", &[("x-forwarded-for", long.as_bytes())]).await["ip"],
        "10.0.0.2"
    );
    let many: Vec<(&str, &[u8])> = vec![("x-forwarded-for", b"10.0.0.2"); 1000];
    assert_eq!(listed(&app, "10.0.0.1", &many).await["ip"], "10.0.0.2");
}

#[tokio::test]
async fn a_list_of_sessions_says_what_their_devices_said() {
    let app = App::new().await;
    let chrome =
        b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    let headers: &[(&str, &[u8])] = &[
        ("user-agent", chrome),
        (
            "sec-ch-ua",
            b"\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\"",
        ),
        ("sec-ch-ua-mobile", b"?1"),
        ("sec-ch-ua-platform", b"\"Android\""),
        ("sec-ch-ua-platform-version", b"\"16.0.0\""),
        ("sec-ch-ua-model", b"\"Pixel \\\"9\\\"\""),
        ("sec-ch-ua-arch", b"\"arm\""),
        ("sec-ch-ua-bitness", b"\"64\""),
        ("sec-ch-ua-wow64", b"?0"),
        ("sec-ch-ua-form-factors", b"\"Mobile\", \"XR\""),
        ("sec-ch-ua-full-version-list", FULL_VERSIONS.as_bytes()),
        ("device-memory", b"8"),
    ];
    let session = listed(&app, "203.0.113.9", headers).await;
    assert_eq!(
        (&session["device_name"], &session["device_id"]),
        (&json!("phone"), &json!("p1"))
    );
    assert_eq!(session["user_agent"], std::str::from_utf8(chrome).unwrap());
    assert_eq!(
        session["agent"],
        json!({
            "name": "Chrome", "version": "142.0.0.0", "os": "Android", "os_version": "16.0.0",
            "model": "Pixel \"9\"", "kind": "smartphone",
        })
    );
    assert_eq!(
        session["hints"],
        json!({
            "brands": "\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\"", "mobile": true, "platform": "Android",
            "platform_version": "16.0.0", "model": "Pixel \"9\"", "memory": "8",
            "architecture": "arm", "bitness": "64", "wow64": false,
            "form_factors": "\"Mobile\", \"XR\"", "full_versions": FULL_VERSIONS,
        })
    );
    let nothing = listed(&app, "203.0.113.9", &[]).await;
    assert_eq!(
        (
            &nothing["user_agent"],
            &nothing["agent"]["name"],
            nothing.get("hints")
        ),
        (&Value::Null, &Value::Null, None)
    );
}

/// Bad input: a user agent of 64 KB, hints that are no text, are too long or come twice.
#[tokio::test]
async fn what_a_device_says_is_bounded() {
    let app = App::new().await;
    let agent = vec![b'x'; 64 * 1024];
    let long = [b"\"".as_slice(), &[b'm'; 200], b"\""].concat();
    let headers: &[(&str, &[u8])] = &[
        ("user-agent", &agent),
        ("sec-ch-ua-model", &long),
        ("sec-ch-ua-platform", b"\"A\xff\xfe\""),
        ("sec-ch-ua-mobile", b"yes"),
        ("sec-ch-ua-arch", b"\"\""),
    ];
    let session = listed(&app, "203.0.113.9", headers).await;
    assert_eq!(session["user_agent"].as_str().unwrap().len(), 512);
    assert_eq!(session.get("hints"), None);
    let invalid = listed(&app, "203.0.113.9", &[("user-agent", b"caf\xe9")]).await;
    assert_eq!(invalid["user_agent"], Value::Null);
}

/// The fields survive every store that keeps them in columns of their own; that of Redis is JSON,
/// and the conformance suite's.
#[tokio::test]
async fn what_a_device_said_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = tollgate::store::SqliteStore::open(folder.path().join("tollgate.db"))
        .await
        .unwrap();
    let app = App::on(store, Settings::default()).await;
    let session = listed(
        &app,
        "203.0.113.9",
        &[
            ("sec-ch-ua-model", b"\"Pixel 9\""),
            ("user-agent", b"curl/8"),
        ],
    )
    .await;
    assert_eq!(
        (&session["hints"]["model"], &session["agent"]["model"]),
        (&json!("Pixel 9"), &json!("Pixel 9"))
    );
    assert_eq!(session["ip"], "203.0.113.9");
}

proptest::proptest! {
    /// The library that reads user agents is somebody else's: whatever it is given, it answers.
    #[test]
    fn no_user_agent_is_too_strange(
        agent in "(Mozilla/5.0 )?[(;) /.a-zA-Z0-9_:-]{0,40}(Windows |Mac OS X |Android |Phone |Version/|rv:|CrOS |BlackBerry|DoCoMo/|KDDI-|FOMA;)?\\PC{0,80}",
    ) {
        let mut device = tollgate::device::Device::default();
        device.user_agent = Some(agent);
        let _ = device.agent();
    }
}

/// A handler of the application learns the same.
#[tokio::test]
async fn a_handler_may_ask_who_its_client_is() {
    use axum::Router;
    use axum::extract::State;
    use axum::routing::get;

    let app = proxied(ForwardedHeader::XForwardedFor).await;
    let tell = |State(gate): State<Gate<tollgate_tests::Accounts>>,
                request: axum::extract::Request| {
        let client = gate.client(&request.into_parts().0);
        std::future::ready(format!(
            "{:?} {:?} {}",
            client.ip.unwrap(),
            client.network.peer.unwrap(),
            client.network.proxies.len()
        ))
    };
    let app = app.serving(
        Router::new()
            .route("/who", get(tell))
            .with_state(app.gate.clone()),
    );
    let asked = from(
        "10.0.0.1",
        request(Method::GET, "/who", None, None),
        &[("x-forwarded-for", b"192.0.2.1, 10.0.0.2")],
    );
    assert_eq!(app.send(asked).await.text, "192.0.2.1 10.0.0.1 2");
}

/// R111, R129: events name the client, not the proxy.
#[tokio::test]
async fn a_refused_caller_is_told_of_by_its_own_address() {
    let app = App::builder().change(|gate| {
        gate.trusted_proxies(
            ["10.0.0.0/8".parse().unwrap()],
            ForwardedHeader::XForwardedFor,
        )
    });
    let app = app.build().await;
    let asked = from(
        "10.0.0.1",
        request(Method::GET, "/me", Some("garbage"), None),
        &[("x-forwarded-for", b"192.0.2.1")],
    );
    app.send(asked).await;
    let heard: Vec<_> = app.heard().iter().map(|event| event.ip).collect();
    assert_eq!(heard, ["192.0.2.1".parse().ok()]);
}

/// A migration adds what older sessions did not say.
#[tokio::test]
async fn sessions_of_a_file_of_the_first_version_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = tollgate::store::SqliteStore::open(&path).await.unwrap();
    let app = App::on(store, Settings::default()).await;
    let tokens: Tokens = app.sign_in("ada@example.com").await;
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "ALTER TABLE tg_session DROP COLUMN device_hints; DELETE FROM tg_schema WHERE version = 2",
    )
    .unwrap();
    let store = tollgate::store::SqliteStore::open(&path).await.unwrap();
    tollgate::store::SessionStore::migrate(&store, app.clock.now())
        .await
        .unwrap();
    let sid = tokens.session.parse().unwrap();
    let session = tollgate::store::SessionStore::session(&store, sid, app.clock.now())
        .await
        .unwrap()
        .unwrap();
    assert!(session.device.hints.is_empty());
}

/// Refreshes from there, and answers the tokens and the session as the list shows it.
async fn refreshed(app: &App, token: &str, peer: &str, agent: &str) -> (Tokens, Value) {
    let body = json!({ "refresh_token": token });
    let refresh = request(Method::POST, "/auth/refresh-access", None, Some(body));
    let headers: &[(&str, &[u8])] = &[("user-agent", agent.as_bytes())];
    let tokens = app.send(from(peer, refresh, headers)).await.tokens();
    let list = app.get("/auth/sessions", &tokens.access).await.json();
    (tokens, list[0].clone())
}

#[tokio::test]
async fn the_list_shows_where_a_session_was_used_from_last() {
    let app = App::new().await;
    let phone: &[(&str, &[u8])] = &[("user-agent", b"phone")];
    let first = app.send(from("192.0.2.1", login(), phone)).await.tokens();
    let listed = app.get("/auth/sessions", &first.access).await.json()[0].clone();
    assert_eq!(listed["last_seen_ip"], "192.0.2.1");
    assert_eq!(listed["last_seen_user_agent"], "phone");

    app.wait(60);
    let (second, listed) = refreshed(&app, &first.refresh, "2001:db8::7", "tablet").await;
    assert_eq!(
        (&listed["last_seen_ip"], &listed["last_seen_user_agent"]),
        (&json!("2001:db8::7"), &json!("tablet"))
    );
    assert_eq!(listed["last_seen_at"], START.as_secs() + 60);
    // What was written at the sign-in stays, and by default nothing in between is kept.
    assert_eq!(
        (&listed["ip"], &listed["user_agent"]),
        (&json!("192.0.2.1"), &json!("phone"))
    );
    assert_eq!(listed.get("history"), None);
    app.wait(60);
    let (_, listed) = refreshed(&app, &second.refresh, "192.0.2.1", "phone").await;
    assert_eq!(listed["last_seen_ip"], "192.0.2.1");
    assert_eq!(listed.get("history"), None);
}

#[tokio::test]
async fn a_history_is_kept_where_the_settings_say_so_and_no_longer() {
    let mut settings = Settings::default();
    settings.session.history = 2;
    let clock = Clock::manual(START);
    let (store, ring) = (
        MemoryStore::new(),
        KeyRing::generate(Algorithm::EdDSA).unwrap(),
    );
    let accounts = Accounts::seeded();
    let node = async |settings: &Settings| {
        App::builder()
            .accounts(&accounts)
            .keys(&ring)
            .store(store.clone())
            .clock(&clock)
            .settings(settings.clone())
            .build()
            .await
    };
    let app = node(&settings).await;
    let phone: &[(&str, &[u8])] = &[("user-agent", b"phone")];
    let mut tokens = app.send(from("192.0.2.1", login(), phone)).await.tokens();
    let mut listed = Value::Null;
    for number in 2..=4 {
        app.wait(60);
        let peer = format!("192.0.2.{number}");
        // The second time it is the same place, which makes no entry.
        for _ in 0..2 {
            app.wait(60);
            (tokens, listed) = refreshed(&app, &tokens.refresh, &peer, "phone").await;
        }
    }
    assert_eq!(listed["last_seen_ip"], "192.0.2.4");
    let start = START.as_secs();
    let entry = |number: u64, minutes: u64| {
        json!({
            "ip": format!("192.0.2.{number}"),
            "user_agent": "phone",
            "last_seen_at": start + minutes * 60,
        })
    };
    assert_eq!(listed["history"], json!([entry(3, 6), entry(2, 3)]));

    // Another node, where it is off: neither shown nor kept.
    settings.session.history = 0;
    let other = node(&settings).await;
    let listed = other.get("/auth/sessions", &tokens.access).await.json();
    assert_eq!(listed[0].get("history"), None);
    app.wait(60);
    let (_, listed) = refreshed(&other, &tokens.refresh, "192.0.2.4", "phone").await;
    assert_eq!(listed.get("history"), None);
    let listed = app.get("/auth/sessions", &tokens.access).await.json();
    assert_eq!(listed[0].get("history"), None, "the rotation deleted it");
}

/// A list of brands with whole versions, which is longer than a name may be.
const FULL_VERSIONS: &str = "\"Chromium\";v=\"142.0.7444.175\", \"Google Chrome\";v=\"142.0.7444.175\", \
                             \"Microsoft Edge\";v=\"142.0.3595.90\", \"Not_A Brand\";v=\"99.0.0.0\"";
