//! Tokens in cookies: set, read, cleared, and safe from other sites.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tollgate::event::EventKind;
use tollgate::extract::{BearerOnly, CookieOnly};
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate_tests::{Answer, App, PASSWORD, Role, User, request};

pub(crate) const ACCESS: &str = "__Host-tollgate-access";
pub(crate) const REFRESH: &str = "__Host-tollgate-refresh";
pub(crate) const DEVICE: &str = "__Host-tollgate-device";
const CLEARED_FORMER: &str =
    "__Secure-tollgate-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=0";

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    settings.cookies.origins = vec!["https://app.example.com".to_owned()];
    settings
}

async fn app() -> App {
    let app = App::with(settings()).await;
    let more = Router::new()
        .route(
            "/change",
            post(async |auth: Auth<User>| format!("{:?}", auth.transport())),
        )
        .route(
            "/bearer",
            get(async |BearerOnly(_): BearerOnly<Auth<User>>| "in"),
        )
        .route(
            "/cookie",
            post(async |CookieOnly(_): CookieOnly<Auth<User>>| "in"),
        )
        .with_state(app.gate.clone());
    app.serving(tollgate_tests::routes(&app.gate).merge(more))
}

/// The cookies that a browser keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(pub(crate) Vec<(String, String)>);

impl Jar {
    pub(crate) fn take(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.0
                    .push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        &self.0.iter().find(|(known, _)| known == name).unwrap().1
    }

    pub(crate) fn send(&self, mut request: Request<Body>) -> Request<Body> {
        let line = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        request.headers_mut().insert(COOKIE, line.parse().unwrap());
        request
    }
}

pub(crate) fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    request
}

pub(crate) fn login() -> Value {
    json!({ "email": "ada@example.com", "password": PASSWORD })
}

pub(crate) async fn signed_in(app: &App) -> (Jar, Answer) {
    let answer = app.post("/auth/signin", login()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let mut jar = Jar::default();
    jar.take(&answer);
    (jar, answer)
}

pub(crate) fn post_from(path: &str, body: Option<Value>) -> Request<Body> {
    request(Method::POST, path, None, body)
}

/// R107, R102.
#[tokio::test]
async fn a_sign_in_sets_both_cookies_and_its_body_has_no_token() {
    let app = app().await;
    let (jar, answer) = signed_in(&app).await;
    let lines: Vec<&str> = answer
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    let (access, refresh) = (jar.value(ACCESS), jar.value(REFRESH));
    let device = jar.value(DEVICE);
    assert_eq!(
        lines,
        [
            format!("{ACCESS}={access}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"),
            format!(
                "{REFRESH}={refresh}; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=2592000"
            ),
            CLEARED_FORMER.to_owned(),
            format!(
                "{DEVICE}={device}; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=34560000"
            ),
        ]
    );
    assert!(lines.iter().all(|line| line.len() <= 4096));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body = answer.json();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["expires_in", "refresh_expires_in", "session_id"]
    );
    assert!(!answer.text.contains(access) && !answer.text.contains(refresh));
    let me = app
        .send(jar.send(request(Method::GET, "/me", None, None)))
        .await;
    assert_eq!(
        (me.status, &me.json()["email"]),
        (StatusCode::OK, &json!("ada@example.com"))
    );
}

/// R124: the mark of a known device is in a cookie, and outlives a sign-out.
#[tokio::test]
async fn a_sign_in_gives_a_device_a_cookie_that_stays() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    let device = jar.value(DEVICE).to_owned();
    assert_eq!(device.len(), 43, "256 bits in base64url");
    let (other, _) = signed_in(&app).await;
    assert_ne!(other.value(DEVICE), device);
    let mut again = jar.clone();
    again.take(
        &app.send(jar.send(post_from("/auth/signin", Some(login()))))
            .await,
    );
    assert_eq!(again.value(DEVICE), device, "a device keeps its cookie");
    again.take(&app.send(again.send(post_from("/auth/signout", None))).await);
    assert_eq!(again.0, [(DEVICE.to_owned(), device.clone())]);
    // A cookie that no gate set is replaced, and none is set where nobody signed in with cookies.
    for bad in ["x", "", &device[1..], &format!("{device}A")] {
        let jar = Jar(vec![(DEVICE.into(), bad.into())]);
        let answer = app.send(jar.send(post_from("/auth/signin", Some(login()))));
        let mut made = Jar::default();
        made.take(&answer.await);
        assert!(made.value(DEVICE) != bad && made.value(DEVICE).len() == 43);
    }
    let wrong = json!({ "email": "ada@example.com", "password": "wrong" });
    let answer = app.post("/auth/signin", wrong).await;
    assert!(!answer.headers.contains_key(SET_COOKIE));
    let mut in_body = login();
    in_body["transport"] = json!("body");
    let answer = app
        .send(jar.send(post_from("/auth/signin", Some(in_body))))
        .await;
    assert!(!answer.headers.contains_key(SET_COOKIE), "{}", answer.text);
}

/// R107: a token that no browser would keep opens no session.
#[tokio::test]
async fn a_token_that_no_cookie_holds_is_not_issued() {
    let app = app().await;
    app.accounts
        .set_roles("ada@example.com", vec![Role::Admin; 340]);
    app.post("/auth/signin", login())
        .await
        .assert_problem(500, "internal_error");
    app.accounts
        .set_roles("ada@example.com", vec![Role::Admin; 200]);
    let (_, answer) = signed_in(&app).await;
    assert!(
        answer
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .all(|line| line.len() <= 4096)
    );
}

/// A client without a browser beside it.
#[tokio::test]
async fn who_asks_for_tokens_in_the_body_gets_them_there() {
    let app = app().await;
    let mut body = login();
    body["transport"] = json!("body");
    let answer = app.post("/auth/signin", body.clone()).await;
    let tokens = answer.tokens();
    assert!(!answer.headers.contains_key(SET_COOKIE));
    let refreshed = app.refresh(&tokens.refresh).await;
    assert!(!refreshed.headers.contains_key(SET_COOKIE));
    assert_eq!(
        app.get("/me", &refreshed.tokens().access).await.status,
        StatusCode::OK
    );
    body["transport"] = json!("carrier pigeon");
    app.post("/auth/signin", body)
        .await
        .assert_problem(400, "invalid_request");
    app.post("/auth/refresh-access", json!({}))
        .await
        .assert_problem(401, "missing_token");
    app.send(post_from("/auth/refresh-access", None))
        .await
        .assert_problem(401, "missing_token");
}

/// Without `cookies.path` a cookie is nothing.
#[tokio::test]
async fn cookies_that_are_off_are_not_looked_at() {
    let (jar, _) = signed_in(&app().await).await;
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let jar = Jar(vec![
        (ACCESS.to_owned(), tokens.access.clone()),
        (REFRESH.to_owned(), jar.value(REFRESH).to_owned()),
    ]);
    app.send(jar.send(request(Method::GET, "/me", None, None)))
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(
        app.send(jar.send(request(Method::GET, "/me", Some(&tokens.access), None)))
            .await
            .status,
        StatusCode::OK
    );
}

/// R108: a route of the application is safe without a layer.
#[tokio::test]
async fn r108_what_another_site_sends_is_refused_when_the_credential_is_a_cookie() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    let change = |headers: &[(&'static str, &str)]| {
        let request = with(jar.send(post_from("/change", None)), headers);
        let app = app.clone();
        async move { app.send(request).await }
    };
    for from_here in [
        &[][..],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://api.example.com"),
        ],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://app.example.com"),
        ],
        &[
            ("origin", "https://api.example.com"),
            ("host", "api.example.com"),
        ],
    ] {
        let answer = change(from_here).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::OK, "Cookie"),
            "{from_here:?}"
        );
    }
    for elsewhere in [
        &[("sec-fetch-site", "cross-site")][..],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example.com"),
        ],
        &[("sec-fetch-site", "same-site")],
        &[
            ("origin", "https://evil.example"),
            ("host", "api.example.com"),
        ],
        &[("origin", "null"), ("host", "api.example.com")],
    ] {
        change(elsewhere).await.assert_problem(403, "csrf");
    }
    // Reading is no harm: the page of another site cannot see the answer.
    let read = with(
        jar.send(request(Method::GET, "/me", None, None)),
        &[("sec-fetch-site", "cross-site")],
    );
    assert_eq!(app.send(read).await.status, StatusCode::OK);
    // A header is no credential that a browser adds by itself.
    let bearer = with(
        request(Method::POST, "/change", Some(jar.value(ACCESS)), None),
        &[("sec-fetch-site", "cross-site")],
    );
    assert_eq!(app.send(bearer).await.text, "Bearer");
    // Another site does not decide either what optional credentials mean.
    let maybe = Router::new()
        .route("/maybe", post(async |_: Option<Auth<User>>| "in"))
        .route("/lenient", post(async |_: Lenient<Auth<User>>| "in"))
        .with_state(app.gate.clone());
    let other = app.serving(maybe);
    for path in ["/maybe", "/lenient"] {
        let request = with(
            jar.send(post_from(path, None)),
            &[("sec-fetch-site", "cross-site")],
        );
        other.send(request).await.assert_problem(403, "csrf");
    }
}

/// R108, R97: login CSRF, and the routes that change a session.
#[tokio::test]
async fn r108_another_site_can_neither_sign_in_nor_refresh_nor_sign_out() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    let elsewhere: &[(&str, &str)] = &[
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ];
    let asked = |request: Request<Body>| {
        let (request, app) = (with(request, elsewhere), app.clone());
        async move { app.send(request).await }
    };
    let authentications = || {
        app.accounts
            .authentications
            .load(std::sync::atomic::Ordering::SeqCst)
    };
    let before = authentications();
    asked(post_from("/auth/signin", Some(login())))
        .await
        .assert_problem(403, "csrf");
    asked(jar.send(post_from("/auth/signin", Some(login()))))
        .await
        .assert_problem(403, "csrf");
    assert_eq!(authentications(), before, "a password was looked at");
    for path in ["/auth/refresh-access", "/auth/signout", "/auth/signout-all"] {
        let answer = asked(jar.send(post_from(path, None))).await;
        answer.assert_problem(403, "csrf");
        assert!(!answer.headers.contains_key(SET_COOKIE), "{path}");
    }
    asked(jar.send(post_from("/auth/reauthenticate", Some(login()))))
        .await
        .assert_problem(403, "csrf");
    let id = app
        .send(jar.send(request(Method::GET, "/auth/sessions", None, None)))
        .await
        .json()[0]["session_id"]
        .clone();
    let end = request(
        Method::DELETE,
        &format!("/auth/sessions/{}", id.as_str().unwrap()),
        None,
        None,
    );
    asked(jar.send(end)).await.assert_problem(403, "csrf");
    assert_eq!(
        app.send(jar.send(request(Method::GET, "/me", None, None)))
            .await
            .status,
        StatusCode::OK
    );
}

/// R108.
#[tokio::test]
async fn json_that_a_form_can_send_is_not_read() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    for (path, body) in [
        ("/auth/signin", login()),
        ("/auth/refresh-access", json!({})),
        ("/auth/signout", json!({})),
    ] {
        let mut request = jar.send(post_from(path, Some(body)));
        request
            .headers_mut()
            .insert("content-type", HeaderValue::from_static("text/plain"));
        app.send(request)
            .await
            .assert_problem(415, "unsupported_media_type");
    }
}

/// R104.
#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let app = app().await;
    let (jar, answer) = signed_in(&app).await;
    assert!(answer.headers.contains_key(SET_COOKIE));
    let (access, refresh) = (jar.value(ACCESS).to_owned(), jar.value(REFRESH).to_owned());
    let both = jar.send(request(Method::GET, "/me", Some(&access), None));
    app.send(both).await.assert_problem(400, "invalid_request");
    let twice = Jar(vec![
        (ACCESS.into(), access.clone()),
        (ACCESS.into(), access.clone()),
    ]);
    app.send(twice.send(request(Method::GET, "/me", None, None)))
        .await
        .assert_problem(400, "invalid_request");
    let mut lines = jar.send(request(Method::GET, "/me", None, None));
    lines
        .headers_mut()
        .append(COOKIE, format!("{ACCESS}=other").parse().unwrap());
    app.send(lines).await.assert_problem(400, "invalid_request");
    let body = json!({ "refresh_token": refresh });
    for path in ["/auth/refresh-access", "/auth/signout"] {
        app.send(jar.send(post_from(path, Some(body.clone()))))
            .await
            .assert_problem(400, "invalid_request");
    }
    app.send(jar.send(request(Method::POST, "/auth/signout", Some(&access), None)))
        .await
        .assert_problem(400, "invalid_request");
    // Another scheme is not ours, and a cookie in another line is the same cookie.
    let mut basic = jar.send(request(Method::GET, "/me", None, None));
    basic
        .headers_mut()
        .insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
    assert_eq!(app.send(basic).await.status, StatusCode::OK);
    let mut split = request(Method::GET, "/me", None, None);
    split
        .headers_mut()
        .append(COOKIE, HeaderValue::from_static("theme=dark"));
    split.headers_mut().append(
        COOKIE,
        format!("a=b;{ACCESS}={access} ; c=d").parse().unwrap(),
    );
    assert_eq!(app.send(split).await.status, StatusCode::OK);
}

/// Bad input: headers that others wrote, and cookies that the gate never set.
#[tokio::test]
async fn a_bad_cookie_is_a_bad_token_and_nothing_more() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    let get = |value: Vec<u8>| {
        let mut request = request(Method::GET, "/me", None, None);
        request
            .headers_mut()
            .insert(COOKIE, HeaderValue::from_bytes(&value).unwrap());
        let app = app.clone();
        async move { app.send(request).await }
    };
    let ours = |value: &[u8]| [ACCESS.as_bytes(), b"=", value].concat();
    for bad in [
        &b""[..],
        b"garbage",
        b"\xff\xfe",
        b"\"quoted\"",
        &[b'x'; 60_000],
        jar.value(REFRESH).as_bytes(),
    ] {
        get(ours(bad)).await.assert_problem(401, "invalid_token");
    }
    let beside = [
        b"caf\xe9=\xff; =; ;;; ".as_slice(),
        &ours(jar.value(ACCESS).as_bytes()),
        b"; x",
    ]
    .concat();
    assert_eq!(get(beside).await.status, StatusCode::OK);
    for none in [
        &b"\xff"[..],
        b"__host-tollgate-access=x",
        b"x__Host-tollgate-access=x",
        b"__Host-tollgate-access",
    ] {
        get(none.to_vec())
            .await
            .assert_problem(401, "missing_token");
    }
    let flood = vec![format!("{ACCESS}x=y"); 2000].join("; ").into_bytes();
    get(flood).await.assert_problem(401, "missing_token");
}

/// rotation.md section 3: row 6 sets both, row 5 the access cookie alone, row 7 both; the losing
/// side is never told to forget (R82).
#[tokio::test]
async fn a_refresh_sets_the_refresh_cookie_only_where_it_is_another_one() {
    let app = app().await;
    let (first, _) = signed_in(&app).await;
    app.wait(60);
    let refresh = |jar: &Jar| {
        let (request, app) = (
            jar.send(post_from("/auth/refresh-access", None)),
            app.clone(),
        );
        async move { app.send(request).await }
    };
    let names = |answer: &Answer| {
        let lines = answer.headers.get_all(SET_COOKIE).iter();
        lines
            .map(|line| line.to_str().unwrap())
            .filter(|line| !line.contains("Max-Age=0"))
            .map(|line| line.split('=').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let rotated = refresh(&first).await;
    assert_eq!(
        (rotated.status, names(&rotated)),
        (StatusCode::OK, vec![ACCESS.to_owned(), REFRESH.to_owned()])
    );
    assert!(
        rotated.json().get("access_token").is_none()
            && rotated.json().get("refresh_token").is_none()
    );
    let mut second = first.clone();
    second.take(&rotated);
    assert_ne!(first.value(REFRESH), second.value(REFRESH));
    let kept = refresh(&second).await;
    assert_eq!(
        (kept.status, names(&kept)),
        (StatusCode::OK, vec![ACCESS.to_owned()]),
        "row 5"
    );
    let mut other_tab = first.clone();
    let repeated = refresh(&first).await;
    other_tab.take(&repeated);
    assert_eq!(names(&repeated), [ACCESS, REFRESH], "row 7");
    assert_eq!(other_tab.value(REFRESH), second.value(REFRESH));
    app.wait(25);
    app.send(second.send(request(Method::GET, "/me", None, None)))
        .await;
    app.settle().await;
    let reuse = refresh(&first).await;
    reuse.assert_problem(401, "invalid_grant");
    assert!(
        names(&reuse).is_empty(),
        "a 401 must not wipe the cookie of a newer session"
    );
}

/// R81.
#[tokio::test]
async fn a_failure_that_passes_clears_no_cookie() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    app.gate.pause().await.unwrap();
    let answer = app
        .send(jar.send(post_from("/auth/refresh-access", None)))
        .await;
    answer.assert_problem(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after") && !answer.headers.contains_key(SET_COOKIE));
    app.gate.resume().await.unwrap();
    app.wait(60);
    assert_eq!(
        app.send(jar.send(post_from("/auth/refresh-access", None)))
            .await
            .status,
        StatusCode::OK
    );
}

/// rotation.md section 2: the transport is part of the context, so a token from a cookie gets no
/// grace in a body.
#[tokio::test]
async fn r71_another_transport_gets_no_grace() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    app.wait(60);
    let mut successor = jar.clone();
    successor.take(
        &app.send(jar.send(post_from("/auth/refresh-access", None)))
            .await,
    );
    app.refresh(jar.value(REFRESH))
        .await
        .assert_problem(401, "invalid_grant");
    let after = app
        .send(successor.send(post_from("/auth/refresh-access", None)))
        .await;
    after.assert_problem(401, "invalid_grant");
}

/// R97: with both cookies, with the refresh cookie alone, and with what is worth nothing.
#[tokio::test]
async fn signing_out_ends_the_session_and_clears_both_cookies() {
    let app = app().await;
    let cleared = [
        format!("{ACCESS}=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"),
        format!("{REFRESH}=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"),
        CLEARED_FORMER.to_owned(),
        "__Host-tollgate-step=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0".to_owned(),
    ];
    for keep in [&[ACCESS, REFRESH][..], &[REFRESH], &[ACCESS]] {
        let (jar, _) = signed_in(&app).await;
        let part = Jar(jar
            .0
            .iter()
            .filter(|(name, _)| keep.contains(&name.as_str()))
            .cloned()
            .collect());
        let answer = app.send(part.send(post_from("/auth/signout", None))).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(
            answer
                .headers
                .get_all(SET_COOKIE)
                .iter()
                .collect::<Vec<_>>(),
            cleared.each_ref()
        );
        app.send(jar.send(request(Method::GET, "/me", None, None)))
            .await
            .assert_problem(401, "invalid_token");
        app.send(jar.send(post_from("/auth/refresh-access", None)))
            .await
            .assert_problem(401, "invalid_grant");
        let again = app.send(part.send(post_from("/auth/signout", None))).await;
        assert_eq!(again.status, StatusCode::NO_CONTENT, "already out");
    }
    let garbage = Jar(vec![(ACCESS.into(), "garbage".into())]);
    let answer = app
        .send(garbage.send(post_from("/auth/signout", None)))
        .await;
    assert_eq!(
        answer
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .collect::<Vec<_>>(),
        cleared.each_ref()
    );
    app.send(post_from("/auth/signout", None))
        .await
        .assert_problem(401, "missing_token");

    let (jar, _) = signed_in(&app).await;
    let everywhere = app
        .send(jar.send(post_from("/auth/signout-all", None)))
        .await;
    assert_eq!(everywhere.status, StatusCode::NO_CONTENT);
    assert_eq!(
        everywhere
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .collect::<Vec<_>>(),
        cleared.each_ref()
    );
}

/// R98.
#[tokio::test]
async fn r98_a_sign_in_takes_the_place_of_the_session_that_it_presents() {
    let app = app().await;
    let (old, _) = signed_in(&app).await;
    let (elsewhere, _) = signed_in(&app).await;
    let answer = app
        .send(old.send(post_from("/auth/signin", Some(login()))))
        .await;
    let mut new = old.clone();
    new.take(&answer);
    assert_ne!(answer.json()["session_id"], Value::Null);
    app.send(old.send(request(Method::GET, "/me", None, None)))
        .await
        .assert_problem(401, "invalid_token");
    for living in [&new, &elsewhere] {
        assert_eq!(
            app.send(living.send(request(Method::GET, "/me", None, None)))
                .await
                .status,
            StatusCode::OK
        );
    }
    // A refused sign-in ends nothing, and a bearer beside it is ignored.
    let wrong = json!({ "email": "ada@example.com", "password": "wrong" });
    app.send(new.send(post_from("/auth/signin", Some(wrong))))
        .await
        .assert_problem(401, "invalid_credentials");
    let bearer = request(
        Method::POST,
        "/auth/signin",
        Some(elsewhere.value(ACCESS)),
        Some(login()),
    );
    assert_eq!(app.send(bearer).await.status, StatusCode::OK);
    for living in [&new, &elsewhere] {
        assert_eq!(
            app.send(living.send(request(Method::GET, "/me", None, None)))
                .await
                .status,
            StatusCode::OK
        );
    }
}

/// R98, R99: the session that ends makes room, so no other one is evicted and nobody is refused.
#[tokio::test]
async fn the_session_that_is_replaced_does_not_count() {
    let mut settings = settings();
    settings.session.device_limit = Some(2);
    for on_limit in [OnLimit::EvictOldest, OnLimit::Deny] {
        settings.session.on_limit = on_limit;
        let app = App::with(settings.clone()).await;
        let (phone, _) = signed_in(&app).await;
        app.wait(5);
        let (browser, _) = signed_in(&app).await;
        app.wait(5);
        let answer = app
            .send(browser.send(post_from("/auth/signin", Some(login()))))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(
            app.send(phone.send(request(Method::GET, "/me", None, None)))
                .await
                .status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_second_authentication_renews_the_access_cookie() {
    let app = app().await;
    let (mut jar, _) = signed_in(&app).await;
    app.wait(301);
    app.send(jar.send(request(Method::GET, "/fresh", None, None)))
        .await
        .assert_problem(401, "insufficient_user_authentication");
    let answer = app
        .send(jar.send(post_from("/auth/reauthenticate", Some(login()))))
        .await;
    assert_eq!(
        answer
            .json()
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["expires_in", "session_id"]
    );
    jar.take(&answer);
    assert_eq!(
        app.send(jar.send(request(Method::GET, "/fresh", None, None)))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_route_may_take_tokens_from_one_place_alone() {
    let app = app().await;
    let (jar, _) = signed_in(&app).await;
    let access = jar.value(ACCESS).to_owned();
    let ask = |method: Method, path: &str, bearer: Option<&str>| {
        let (request, app) = (jar.send(request(method, path, bearer, None)), app.clone());
        async move { app.send(request).await }
    };
    ask(Method::GET, "/bearer", None)
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(
        ask(Method::GET, "/bearer", Some(&access)).await.status,
        StatusCode::OK
    );
    assert_eq!(
        ask(Method::POST, "/cookie", Some("garbage")).await.status,
        StatusCode::OK
    );
    app.send(request(Method::POST, "/cookie", Some(&access), None))
        .await
        .assert_problem(401, "missing_token");
    let elsewhere = with(
        jar.send(post_from("/cookie", None)),
        &[("sec-fetch-site", "cross-site")],
    );
    app.send(elsewhere).await.assert_problem(403, "csrf");
}

/// R129, and the event at the start where browsers would not keep the cookies.
#[tokio::test]
async fn what_is_refused_and_what_cannot_work_is_told_of() {
    let build = async |issuer: &str, origins: &[&'static str]| {
        let (issuer, origins) = (issuer.to_owned(), origins.to_owned());
        let app = App::builder()
            .change(move |gate| gate.issuer(issuer).cookies("/auth").cookie_origins(origins));
        app.build().await
    };
    for (issuer, origins, is_told) in [
        ("https://a.example", &[][..], false),
        (
            "https://a.example",
            &[
                "http://localhost:3000",
                "http://127.0.0.1:8080",
                "https://b.example",
            ][..],
            false,
        ),
        ("http://[::1]:8080/x", &[], false),
        ("http://a.example", &[], true),
        ("accounts", &[], true),
        ("http://localhost.a.example", &[], true),
        ("https://a.example", &["http://b.example"], true),
    ] {
        let app = build(issuer, origins).await;
        assert_eq!(
            app.heard_kinds().contains(&EventKind::InsecureOrigin),
            is_told,
            "{issuer} {origins:?}"
        );
    }
    let app = build("https://a.example", &[]).await;
    let request = with(
        post_from("/auth/signin", Some(login())),
        &[("sec-fetch-site", "cross-site")],
    );
    app.send(request).await;
    assert_eq!(app.heard_kinds(), [EventKind::AccessRefused(Code::Csrf)]);
}
