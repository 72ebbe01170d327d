//! The refresh cookie: its two names, what comes twice, and who gets to see it.

use axum::Router;
use axum::routing::get;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::settings::{BindingMode, RefreshCookie};
use tollgate::store::SqliteStore;
use tollgate_tests::{Accounts, Answer, App, START, request};

use crate::cookies::{ACCESS, DEVICE, Jar, REFRESH, login, post_from, settings, signed_in, with};

const FORMER: &str = "__Secure-tollgate-refresh";
const CLEAR_HOST: &str =
    "__Host-tollgate-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0";
const CLEAR_FORMER: &str =
    "__Secure-tollgate-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=0";

async fn app(refresh: Option<RefreshCookie>, legacy_until: Option<&str>) -> App {
    let mut settings = settings();
    settings.cookies.refresh = refresh;
    settings.cookies.legacy_until = legacy_until.map(|day| {
        let file = format!("[cookies]\nlegacy_until = '{day}'");
        let read = Settings::from_sources(Some(("tollgate.toml", &file)), []).unwrap();
        read.cookies.legacy_until.unwrap()
    });
    App::with(settings).await
}

/// An app that moved to the new name, and reads the former one for a while.
async fn moved() -> App {
    app(Some(RefreshCookie::Host), Some("2999-01-01")).await
}

fn jar(cookies: &[(&str, &str)]) -> Jar {
    Jar(cookies
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect())
}

async fn post_with(app: &App, jar: &Jar, path: &str) -> Answer {
    app.send(jar.send(post_from(path, None))).await
}

async fn refresh(app: &App, jar: &Jar) -> Answer {
    post_with(app, jar, "/auth/refresh-access").await
}

/// The names that are set, and with a `!` those that are cleared.
fn names(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    let name = |line: &str| {
        let name = line.split('=').next().unwrap().to_owned();
        if line.contains("Max-Age=0") {
            format!("!{name}")
        } else {
            name
        }
    };
    lines.map(|line| name(line.to_str().unwrap())).collect()
}

async fn is_in(app: &App, jar: &Jar) -> bool {
    let me = request(Method::GET, "/me", None, None);
    app.send(jar.send(me)).await.status == StatusCode::OK
}

/// Presents the token of a jar under another name.
fn renamed(jar: &Jar, from: &str, to: &str) -> Jar {
    self::jar(&[(to, jar.value(from))])
}

#[tokio::test]
async fn the_former_name_is_read_and_moves_in_one_answer() {
    let app = moved().await;
    let (new, _) = signed_in(&app).await;
    let old = renamed(&new, REFRESH, FORMER);
    drop(app.heard());
    app.wait(60);
    let answer = refresh(&app, &old).await;
    assert_eq!(
        (answer.status, names(&answer)),
        (
            StatusCode::OK,
            vec![ACCESS.into(), REFRESH.into(), format!("!{FORMER}")]
        )
    );
    let heard = app.heard_kinds();
    assert!(heard.contains(&EventKind::FormerRefreshCookie), "{heard:?}");
    let mut moved = Jar::default();
    moved.take(&answer);
    // A token that is not replaced moves as well.
    let kept = refresh(&app, &renamed(&moved, REFRESH, FORMER)).await;
    assert_eq!(
        names(&kept),
        [ACCESS.into(), REFRESH.into(), format!("!{FORMER}")]
    );
    drop(app.heard());
    let kept = refresh(&app, &moved).await;
    assert_eq!(names(&kept), [ACCESS], "what has moved stays as it is");
    assert!(!app.heard_kinds().contains(&EventKind::FormerRefreshCookie));
}

#[tokio::test]
async fn between_both_names_the_new_one_decides() {
    let app = moved().await;
    let (mine, answer) = signed_in(&app).await;
    let (planted, _) = signed_in(&app).await;
    let both = jar(&[
        (FORMER, planted.value(REFRESH)),
        (REFRESH, mine.value(REFRESH)),
    ]);
    let sid = answer.json()["session_id"].clone();
    let answer = refresh(&app, &both).await;
    assert_eq!(answer.json()["session_id"], sid);
    assert!(names(&answer).contains(&format!("!{FORMER}")));
    // So it is where the token stays the same one.
    let mut next = Jar::default();
    next.take(&answer);
    let both = jar(&[
        (FORMER, planted.value(REFRESH)),
        (REFRESH, next.value(REFRESH)),
    ]);
    let kept = refresh(&app, &both).await;
    assert_eq!(kept.json()["session_id"], sid);
    assert!(names(&kept).contains(&format!("!{FORMER}")));
    let mut after = Jar::default();
    after.take(&kept);
    assert_eq!(after.value(REFRESH), next.value(REFRESH));
    // A new one that is worth nothing does not let the former one in.
    let both = jar(&[(FORMER, planted.value(REFRESH)), (REFRESH, "garbage")]);
    refresh(&app, &both)
        .await
        .assert_problem(401, "invalid_grant");
    assert!(is_in(&app, &planted).await);
}

#[tokio::test]
async fn the_former_name_counts_at_these_routes_and_until_its_day() {
    for (refresh_name, until) in [
        (Some(RefreshCookie::Host), Some("2001-01-01")),
        (Some(RefreshCookie::Host), None),
        (None, None),
    ] {
        let app = app(refresh_name, until).await;
        let (new, _) = signed_in(&app).await;
        let old = renamed(&new, REFRESH, FORMER);
        app.wait(60);
        let answer = refresh(&app, &old).await;
        answer.assert_problem(401, "missing_token");
        assert!(!answer.headers.contains_key(SET_COOKIE));
        post_with(&app, &old, "/auth/signout")
            .await
            .assert_problem(401, "missing_token");
        assert!(is_in(&app, &new).await);
    }
    let app = moved().await;
    let (new, _) = signed_in(&app).await;
    let old = renamed(&new, REFRESH, FORMER);
    app.send(old.send(request(Method::GET, "/me", None, None)))
        .await
        .assert_problem(401, "missing_token");
    let out = post_with(&app, &old, "/auth/signout").await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(!is_in(&app, &new).await);
}

#[tokio::test]
async fn a_gate_on_the_former_name_says_so_and_writes_it() {
    let app = app(Some(RefreshCookie::Path), None).await;
    assert!(
        app.heard_kinds()
            .contains(&EventKind::RefreshCookiePlantable)
    );
    let (old, answer) = signed_in(&app).await;
    assert_eq!(
        names(&answer),
        [
            ACCESS.into(),
            FORMER.into(),
            format!("!{REFRESH}"),
            DEVICE.into()
        ]
    );
    let lines: Vec<&str> = answer
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    assert!(lines.contains(&CLEAR_HOST), "{lines:?}");
    assert!(lines[1].contains("Path=/auth;"), "{lines:?}");
    // A node of the next release wrote the other name.
    let new = renamed(&old, FORMER, REFRESH);
    app.wait(60);
    let answer = refresh(&app, &new).await;
    assert_eq!(
        names(&answer),
        [ACCESS.into(), FORMER.into(), format!("!{REFRESH}")]
    );
    assert!(!app.heard_kinds().contains(&EventKind::FormerRefreshCookie));
    let young = self::app(None, None).await;
    assert!(
        !young
            .heard_kinds()
            .contains(&EventKind::RefreshCookiePlantable)
    );
}

/// R104, and what a page of a sibling subdomain can do: it signs nobody in as somebody else.
#[tokio::test]
async fn two_refresh_cookies_of_one_name_refresh_nothing() {
    for (name, app) in [
        (REFRESH, moved().await),
        (FORMER, moved().await),
        (FORMER, app(Some(RefreshCookie::Path), None).await),
    ] {
        let (mine, _) = signed_in(&app).await;
        let (planted, _) = signed_in(&app).await;
        let written = if mine.has(REFRESH) { REFRESH } else { FORMER };
        let (one, two) = (mine.value(written), planted.value(written));
        app.wait(60);
        for both in [
            jar(&[(name, one), (name, two)]),
            jar(&[(name, two), (name, one)]),
            jar(&[(name, one), (name, "")]),
        ] {
            let answer = refresh(&app, &both).await;
            answer.assert_problem(400, "invalid_request");
            assert!(!answer.headers.contains_key(SET_COOKIE));
        }
        assert!(is_in(&app, &mine).await && is_in(&app, &planted).await);
        let same = refresh(&app, &jar(&[(name, one), (name, one)])).await;
        assert_eq!(same.status, StatusCode::OK, "the same one twice is one");
    }
}

/// R97.
#[tokio::test]
async fn signing_out_ends_every_session_that_is_presented() {
    for path in ["/auth/signout", "/auth/signout-all"] {
        let app = moved().await;
        let mut jars = Vec::new();
        for _ in 0..5 {
            jars.push(signed_in(&app).await.0);
        }
        let grace = app
            .post(
                "/auth/signin",
                json!({"email": "grace@example.com", "password": tollgate_tests::PASSWORD}),
            )
            .await;
        let mut other = Jar::default();
        other.take(&grace);
        let presented = jar(&[
            (ACCESS, jars[0].value(ACCESS)),
            (REFRESH, jars[1].value(REFRESH)),
            (REFRESH, jars[2].value(REFRESH)),
            (REFRESH, "garbage"),
            (FORMER, jars[3].value(REFRESH)),
            (FORMER, other.value(REFRESH)),
        ]);
        let answer = post_with(&app, &presented, path).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        for (at, jar) in jars.iter().take(4).chain([&other]).enumerate() {
            assert!(!is_in(&app, jar).await, "{path} {at}");
        }
        assert_eq!(is_in(&app, &jars[4]).await, path == "/auth/signout");
        let lines: Vec<&str> = answer
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines.contains(&CLEAR_HOST) && lines.contains(&CLEAR_FORMER));
    }
}

/// R98.
#[tokio::test]
async fn a_sign_in_ends_every_session_that_is_presented() {
    let app = moved().await;
    let (one, _) = signed_in(&app).await;
    let (two, _) = signed_in(&app).await;
    let (three, _) = signed_in(&app).await;
    let presented = jar(&[
        (REFRESH, one.value(REFRESH)),
        (REFRESH, two.value(REFRESH)),
        (FORMER, three.value(REFRESH)),
    ]);
    let answer = app
        .send(presented.send(post_from("/auth/signin", Some(login()))))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    for jar in [one, two, three] {
        assert!(!is_in(&app, &jar).await);
    }
}

/// R81: where one of several sessions cannot be looked up, none ends and no cookie is cleared.
#[tokio::test]
async fn a_sign_out_that_cannot_be_decided_clears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let app = App::on(SqliteStore::open(&file).await.unwrap(), settings()).await;
    let (one, _) = signed_in(&app).await;
    let (two, _) = signed_in(&app).await;
    let both = jar(&[(REFRESH, one.value(REFRESH)), (REFRESH, two.value(REFRESH))]);
    let rename = |from: &str, to: &str| {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        connection.execute_batch(&rename).unwrap();
    };
    rename("tg_session", "tg_away");
    let answer = post_with(&app, &both, "/auth/signout").await;
    answer.assert_problem(503, "unavailable");
    assert!(!answer.headers.contains_key(SET_COOKIE));
    rename("tg_away", "tg_session");
    assert!(is_in(&app, &one).await && is_in(&app, &two).await);
    let answer = post_with(&app, &both, "/auth/signout").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(!is_in(&app, &one).await && !is_in(&app, &two).await);
}

#[tokio::test]
async fn handlers_of_the_application_do_not_see_the_refresh_cookie() {
    async fn seen(headers: HeaderMap) -> String {
        let lines = headers.get_all(COOKIE).iter();
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
        lines.join(" | ")
    }
    let app = moved().await;
    let (signed_in, _) = signed_in(&app).await;
    let inner = Router::new()
        .route("/seen", get(seen))
        .route("/me", get(async |_: Auth<tollgate_tests::User>| "in"))
        .fallback(seen)
        .with_state(app.gate.clone());
    let installed = app.serving(app.gate.install(inner));
    let (access, token) = (signed_in.value(ACCESS), signed_in.value(REFRESH));
    let sent = jar(&[
        ("theme", "dark"),
        (REFRESH, token),
        (ACCESS, access),
        (FORMER, token),
        ("last", "1"),
    ]);
    for path in ["/seen", "/nowhere"] {
        let answer = installed
            .send(sent.send(request(Method::GET, path, None, None)))
            .await;
        assert_eq!(
            answer.text,
            format!("theme=dark; {ACCESS}={access}; last=1"),
            "{path}"
        );
    }
    assert!(is_in(&installed, &sent).await);
    assert_eq!(refresh(&installed, &sent).await.status, StatusCode::OK);
}

/// The path of a host cookie is `/`, wherever the routes are.
#[tokio::test]
async fn nested_elsewhere_a_browser_still_brings_the_cookie() {
    let app = app(None, None).await;
    let nested = app.serving(Router::new().nest("/api/v1", app.gate.router()));
    let answer = nested.post("/api/v1/auth/signin", login()).await;
    let mut jar = Jar::default();
    jar.take(&answer);
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    let written = lines
        .map(|line| line.to_str().unwrap())
        .find(|line| line.starts_with(REFRESH))
        .unwrap();
    assert!(written.contains("Path=/;"), "{written}");
    app.wait(60);
    let answer = post_with(&nested, &jar, "/api/v1/auth/refresh-access").await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// One jar is one client: a script names its device, and a page that is opened cannot.
#[tokio::test]
async fn r71_with_cookies_the_device_is_that_of_the_session() {
    for device_at_sign_in in [None, Some("the-device-of-this-browser")] {
        let mut settings = settings();
        settings.binding.refresh_device = match device_at_sign_in {
            Some(_) => BindingMode::Enforce,
            None => BindingMode::Off,
        };
        let app = App::with(settings).await;
        let mut body = login();
        body["device_id"] = json!(device_at_sign_in);
        let mut first = Jar::default();
        first.take(&app.post("/auth/signin", body).await);
        app.wait(60);
        let by_script = json!({"device_id": "another-id-than-at-sign-in"});
        let script: Request<_> = first.send(post_from("/auth/refresh-access", Some(by_script)));
        assert_eq!(app.send(script).await.status, StatusCode::OK);
        app.wait(3);
        let page = refresh(&app, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        // The answer to the script may have been lost for longer, too.
        app.wait(60);
        assert_eq!(refresh(&app, &first).await.status, StatusCode::OK);
    }
}

/// R108: login CSRF has a second door.
#[tokio::test]
async fn r108_another_site_cannot_answer_a_step() {
    let app = app(None, None).await;
    let body = json!({"step_token": "tgs1_x", "code": "123456"});
    let elsewhere = with(
        post_from("/auth/signin/step", Some(body.clone())),
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
    );
    app.send(elsewhere).await.assert_problem(403, "csrf");
    let here = with(
        post_from("/auth/signin/step", Some(body)),
        &[("sec-fetch-site", "same-origin")],
    );
    app.send(here)
        .await
        .assert_problem(401, "invalid_credentials");
}

/// R108 for the former name alone: it is a credential that a browser adds by itself.
#[tokio::test]
async fn another_site_cannot_use_the_former_name() {
    let app = moved().await;
    let (new, _) = signed_in(&app).await;
    let old = renamed(&new, REFRESH, FORMER);
    for path in ["/auth/refresh-access", "/auth/signout"] {
        let elsewhere = with(
            old.send(post_from(path, None)),
            &[("sec-fetch-site", "same-site")],
        );
        app.send(elsewhere).await.assert_problem(403, "csrf");
    }
    assert!(is_in(&app, &new).await);
}

/// The id of the device is read where somebody proves again who they are.
#[tokio::test]
async fn a_second_authentication_reads_the_device_of_its_body() {
    let app = app(None, None).await;
    let (jar, _) = signed_in(&app).await;
    for (device_id, status) in [
        (json!("x".repeat(128)), 200),
        (json!("x".repeat(129)), 400),
        (json!("a\nb"), 400),
        (json!(7), 400),
    ] {
        let mut body = login();
        body["device_id"] = device_id;
        let answer = app
            .send(jar.send(post_from("/auth/reauthenticate", Some(body))))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
}

/// Two realms on one host do not take each other's cookies.
#[tokio::test]
async fn a_named_realm_has_cookies_of_its_own() {
    let mut settings = settings();
    settings.realm = Some("staff".to_owned());
    let app = App::with(settings.clone()).await;
    let answer = app.post("/auth/signin", login()).await;
    assert_eq!(
        names(&answer),
        ["access", "refresh", "device"].map(|what| format!("__Host-tollgate-staff-{what}"))
    );
    let mut jar = Jar::default();
    jar.take(&answer);
    assert!(is_in(&app, &jar).await);
    // The cookies of the default realm are nothing here, nor is the former name.
    let default = renamed(&jar, "__Host-tollgate-staff-refresh", REFRESH);
    refresh(&app, &default)
        .await
        .assert_problem(401, "missing_token");
    let out = post_with(&app, &jar, "/auth/signout").await;
    assert_eq!(
        names(&out),
        ["access", "refresh", "step"].map(|what| format!("!__Host-tollgate-staff-{what}"))
    );
    settings.cookies.refresh = Some(RefreshCookie::Path);
    settings.issuer = Some("https://a.example".into());
    settings.audience = Some("a".into());
    let error = format!("{:?}", settings.validate().unwrap_err());
    assert!(error.contains("cookies.refresh"), "{error}");
}

/// With sessions of an earlier release in the store, whose cookies have the former name, the gate
/// keeps writing that name until a setting says otherwise, and nobody is signed out.
#[tokio::test]
async fn an_older_store_keeps_the_former_name_and_signs_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let ring = KeyRing::open(folder.path().join("keys")).await.unwrap();
    let (clock, accounts) = (Clock::manual(START), Accounts::seeded());
    let node = async || {
        let store = SqliteStore::open(&file).await.unwrap();
        let builder = App::builder().accounts(&accounts);
        let builder = builder.clock(&clock).keys(&ring).store(store);
        builder.settings(settings()).build().await
    };
    let app = node().await;
    let (new, _) = signed_in(&app).await;
    let old = renamed(&new, REFRESH, FORMER);
    app.wait(60);
    // This release made the file, so no gate set the former name.
    assert_eq!(refresh(&app, &old).await.status, StatusCode::UNAUTHORIZED);
    drop(app);
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("DROP TABLE tg_meta")
        .unwrap();
    let app = node().await;
    let answer = refresh(&app, &old).await;
    assert_eq!(
        (answer.status, names(&answer)),
        (
            StatusCode::OK,
            vec![ACCESS.into(), FORMER.into(), format!("!{REFRESH}")]
        ),
        "{}",
        answer.text
    );
}
