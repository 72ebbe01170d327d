//! Pages: whose users stay signed in without a script. The rows are those of
//! docs/reference/pages.md.

mod forms;
mod gates;
mod login;
mod lost;
mod overtaken;
mod renewal;
mod start;
mod undecided;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, LOCATION, VARY};
use http::{Method, Request, StatusCode};
use tollgate::clock::Clock;
use tollgate::event::{EventKind, Refreshed};
use tollgate::extract::Current;
use tollgate::pages::{LoginPage, PageForm};
use tollgate::prelude::*;
use tollgate_tests::{Accounts, Admins, Answer, App, AppBuilder, FreshAdmins, PASSWORD, User};

use crate::cookies::{ACCESS, Jar, REFRESH};

/// What a browser says of a page that its user opens.
const PAGE: [(&str, &str); 4] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("accept", "text/html"),
];
/// What it says of a request of a script.
const FETCH: [(&str, &str); 3] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
];

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    settings.cookies.origins = vec!["https://partner.example".to_owned()];
    settings
}

/// Returns the pages of an application. A handler waits as long as the hook of a sign-in says.
fn routes(gate: &Gate<Accounts>) -> Router {
    async fn home(user: Auth<User>) -> String {
        user.email().clone()
    }
    async fn slow(user: Auth<User>, gate: axum::extract::State<Gate<Accounts>>) -> String {
        gate.backend().in_authenticate.run().await;
        user.email().clone()
    }
    async fn change(user: Auth<User>, body: String) -> String {
        format!("{}: {body}", user.email())
    }
    async fn lenient(Lenient(user): Lenient<Auth<User>>) -> String {
        user.map_or_else(|| "nobody".into(), |user| user.email().clone())
    }
    async fn maybe(user: Option<Auth<User>>) -> String {
        user.map_or_else(|| "nobody".into(), |user| user.email().clone())
    }
    async fn login(_: Public, page: LoginPage) -> String {
        let reason = page.reason().map_or("none", |reason| reason.as_str());
        format!("login {reason} {}", page.next())
    }
    async fn headers(_: Auth<User>, headers: http::HeaderMap) -> String {
        let names: Vec<String> = headers.keys().map(ToString::to_string).collect();
        let cookies = headers
            .get("cookie")
            .map(|c| c.to_str().unwrap().to_owned());
        format!("{} {}", names.join(" "), cookies.unwrap_or_default())
    }
    async fn cached(said: &'static str) -> Response {
        ([(CACHE_CONTROL, said)], "cached").into_response()
    }
    let pages = Router::new()
        .route("/", get(home))
        .route("/slow", get(slow).post(slow))
        .route("/change", post(change))
        .route("/lenient", get(lenient))
        .route("/maybe", get(maybe).post(maybe))
        .route("/open", post(async |_: Public| "open"))
        .route("/current", get(async |_: Current<Accounts>| "in"))
        .route("/headers", get(headers))
        .route("/admin", get(async |_: Auth<User, Admins>| "in"))
        .route(
            "/fresh",
            get(async |_: Auth<User, FreshAdmins>| "in")
                .post(async |_: Auth<User, FreshAdmins>| ()),
        )
        .route("/own", get(async || StatusCode::UNAUTHORIZED))
        .route(
            "/private",
            get(async || cached("private, max-age=60").await),
        )
        .route("/public", get(async || cached("public, max-age=60").await))
        .route("/varied", get(async || ([(VARY, "Accept, cookie")], "")))
        .route("/login", get(login).merge(gate.form(PageForm::SignIn)))
        .route("/login/step", get(login).merge(gate.form(PageForm::Step)))
        .route("/login/fresh", gate.form(PageForm::Reauthenticate))
        .route("/logout", gate.form(PageForm::SignOut))
        .route("/{*rest}", get(lenient))
        .nest("/inner", Router::new().route("/page", get(home)))
        .layer(gate.pages("/login"));
    gate.install(pages).with_state(gate.clone())
}

fn builder() -> AppBuilder {
    AppBuilder::of(Accounts::seeded(), routes).settings(settings())
}

async fn app() -> App {
    builder().build().await
}

/// Makes a request with headers.
fn asked(method: Method, path: &str, said: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", "app.example");
    for (name, value) in said {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn page(path: &str) -> Request<Body> {
    asked(Method::GET, path, &PAGE)
}

fn fetch(method: Method, path: &str) -> Request<Body> {
    asked(method, path, &FETCH)
}

/// Makes a form that a page of this origin sends.
fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let said = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://app.example"),
    ];
    let mut request = asked(Method::POST, path, &[&PAGE[..], &said].concat());
    let body: String = form_urlencoded(fields);
    *request.body_mut() = Body::from(body);
    request
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let fields = fields
        .iter()
        .map(|(n, v)| format!("{}={}", encode(n), encode(v)));
    fields.collect::<Vec<_>>().join("&")
}

fn login_form(next: &str) -> Request<Body> {
    let fields = [
        ("email", "ada@example.com"),
        ("password", PASSWORD),
        ("next", next),
    ];
    form("/login", &fields)
}

/// Signs in by the form, and returns what the browser keeps.
async fn signed_in(app: &App) -> Jar {
    let answer = app.send(login_form("/")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let mut jar = Jar::default();
    jar.take(&answer);
    assert!(jar.has(ACCESS) && jar.has(REFRESH));
    drop(app.heard());
    jar
}

/// The same, eleven minutes later: the access token ran out.
async fn expired(app: &App) -> Jar {
    let jar = signed_in(app).await;
    app.wait(660);
    jar
}

/// Sends a request with a jar, which takes what the answer sets.
async fn send(app: &App, jar: &mut Jar, request: Request<Body>) -> Answer {
    let answer = app.send(jar.send(request)).await;
    jar.take(&answer);
    answer
}

/// Opens a page as a browser does: it follows redirections.
async fn open(app: &App, jar: &mut Jar, path: &str) -> Answer {
    let mut path = path.to_owned();
    for _ in 0..4 {
        let answer = send(app, jar, page(&path)).await;
        if !answer.status.is_redirection() {
            return answer;
        }
        path = location(&answer).to_owned();
    }
    panic!("the page redirects in a circle: {path}");
}

fn location(answer: &Answer) -> &str {
    answer.headers[LOCATION].to_str().unwrap()
}

fn sets(answer: &Answer, name: &str) -> bool {
    let lines = answer.headers.get_all("set-cookie").iter();
    lines
        .map(|line| line.to_str().unwrap())
        .any(|line| line.starts_with(&format!("{name}=")))
}

/// Returns how the sessions were refreshed since the last call.
fn refreshes(app: &App) -> Vec<Refreshed> {
    let kinds = app.heard_kinds();
    assert!(
        !kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::RefreshReuse { .. })),
        "signed out as a thief: {kinds:?}"
    );
    let refreshed = kinds.into_iter().filter_map(|kind| match kind {
        EventKind::Refreshed(how) => Some(how),
        _ => None,
    });
    refreshed.collect()
}

/// Lets a clock go on for the seconds that a handler takes, when it runs.
fn slow_by(app: &App, seconds: u64) {
    let clock: Clock = app.clock.clone();
    app.accounts.in_authenticate.set(move || {
        let clock = clock.clone();
        async move { clock.advance(Duration::from_secs(seconds)) }
    });
}
