//! Signing in and out by forms: what proves their origin, and what they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tollgate::event::EventKind;
use tollgate::pages::{LoginPage, PageForm};
use tollgate::prelude::*;
use tollgate_tests::{Answer, App, AppBuilder, PASSWORD};

use super::{
    PAGE, app, asked, expired, form, form_urlencoded, location, login_form, open, page, send, sets,
    settings, signed_in,
};
use crate::cookies::{ACCESS, DEVICE, Jar, REFRESH};

const STEP: &str = "__Host-tollgate-step";
const MARKER: &str = "__Host-tollgate-renewed";
const LOGIN: [(&str, &str); 2] = [("email", "ada@example.com"), ("password", PASSWORD)];

/// A form that says this of where it comes from.
fn unproven(path: &str, said: &[(&str, &str)]) -> Request<Body> {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let mut request = asked(Method::POST, path, &[said, &[kind]].concat());
    *request.body_mut() = Body::from(form_urlencoded(&LOGIN));
    request
}

#[tokio::test]
async fn a_form_needs_proof_that_a_page_of_this_origin_sent_it() {
    let app = app().await;
    let jar = signed_in(&app).await;
    for path in [
        "/login",
        "/login/step",
        "/login/fresh",
        "/logout",
        "/auth/signin",
        "/auth/signin/step",
        "/auth/reauthenticate",
        "/auth/signout",
    ] {
        for said in [
            &[][..],
            &[("sec-fetch-site", "none")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://app.example.evil.example")],
        ] {
            let answer = app.send(jar.send(unproven(path, said))).await;
            answer.assert_problem(403, "csrf");
            assert!(
                !answer.headers.contains_key("set-cookie"),
                "{path} {said:?}"
            );
        }
        for said in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("origin", "https://app.example")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://partner.example"),
            ],
        ] {
            let answer = app.send(jar.send(unproven(path, said))).await;
            assert_eq!(
                answer.status,
                StatusCode::SEE_OTHER,
                "{path} {said:?} {}",
                answer.text
            );
        }
    }
    // JSON is as without pages: no browser sends it from another site without asking first.
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(app.post("/auth/signin", login).await.status, StatusCode::OK);
    let out = asked(Method::POST, "/auth/signout", &[]);
    let answer = app.send(jar.send(out)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers["clear-site-data"], "\"cache\"");
}

#[tokio::test]
async fn without_pages_no_route_takes_a_form() {
    let app = App::with(settings()).await;
    let said = [("sec-fetch-site", "same-origin")];
    let answer = app.send(unproven("/auth/signin", &said)).await;
    answer.assert_problem(415, "unsupported_media_type");
    let answer = app.post(
        "/auth/signin",
        json!({ "email": "ada@example.com", "password": PASSWORD }),
    );
    let strict = format!("{REFRESH}=");
    let answer = answer.await;
    let lines = answer.headers.get_all("set-cookie").iter();
    let refresh = lines
        .map(|line| line.to_str().unwrap())
        .find(|l| l.starts_with(&strict));
    assert!(refresh.unwrap().contains("SameSite=Strict"));
}

#[tokio::test]
async fn a_sign_in_leads_to_where_its_visitor_wanted_to_go() {
    let app = app().await;
    let answer = app.send(login_form("/admin?x=1")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/admin?x=1");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH) && sets(&answer, DEVICE));
    let lines = answer.headers.get_all("set-cookie").iter();
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
    let refresh = lines.iter().find(|line| line.starts_with(REFRESH)).unwrap();
    assert!(
        refresh.contains("HttpOnly; SameSite=Lax; Secure; Path=/"),
        "{refresh}"
    );
    assert!(answer.text.is_empty());
}

#[tokio::test]
async fn a_wrong_password_leads_back_and_says_so() {
    let app = app().await;
    let fields = [
        ("email", "ada@example.com"),
        ("password", "wrong"),
        ("next", "/admin"),
    ];
    let answer = app.send(form("/login", &fields)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/login?reason=refused&next=%2Fadmin");
    assert!(!answer.headers.contains_key("set-cookie"));
    let disabled = [("email", "mallory@example.com"), ("password", PASSWORD)];
    let answer = app.send(form("/login", &disabled)).await;
    assert_eq!(location(&answer), "/login?reason=refused&next=%2F");
}

#[tokio::test]
async fn a_form_that_is_no_login_is_a_page_that_says_so() {
    let app = app().await;
    let long = "x".repeat(2000);
    for fields in [
        &[][..],
        &[("email", "ada@example.com")],
        &[
            ("email", "ada@example.com"),
            ("email", "x"),
            ("password", PASSWORD),
        ],
        &[("email", "ada@example.com"), ("password", &long)],
        &[LOGIN[0], LOGIN[1], ("device_id", &long)],
    ] {
        let answer = app.send(form("/login", fields)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fields:?}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let mut huge = form("/login", &LOGIN);
    *huge.body_mut() = Body::from("x".repeat(20_000));
    assert_eq!(app.send(huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    app.accounts.is_down.store(true, Ordering::SeqCst);
    let answer = app.send(login_form("/")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_sign_in_takes_the_place_of_the_session_that_its_browser_had() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    let old = jar.clone();
    app.wait(660);
    let answer = send(&app, &mut jar, login_form("/")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let lines = answer.headers.get_all("set-cookie").iter();
    let count = lines
        .filter(|line| line.to_str().unwrap().starts_with(REFRESH))
        .count();
    assert_eq!(count, 1, "only the new session's");
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    let answer = app.send(old.send(page("/maybe"))).await;
    assert_eq!(answer.text, "nobody");
}

#[tokio::test]
async fn signing_out_clears_the_cookies_and_what_the_browser_keeps() {
    let app = app().await;
    for path in ["/logout", "/auth/signout"] {
        let mut jar = signed_in(&app).await;
        app.wait(660);
        let old = jar.clone();
        let answer = send(&app, &mut jar, form(path, &[])).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(location(&answer), "/");
        assert_eq!(answer.headers["clear-site-data"], "\"cache\"");
        assert!(!jar.has(ACCESS) && !jar.has(REFRESH) && jar.has(DEVICE));
        assert_eq!(app.send(old.send(page("/maybe"))).await.text, "nobody");
        // Twice is as once.
        app.wait(1);
        let answer = send(&app, &mut jar, form(path, &[])).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
}

/// Chromium keeps pages for its back button, also `no-store` ones. It discards them when an `HttpOnly`
/// cookie is set to another value; that cookies are cleared is not always enough.
#[tokio::test]
async fn signing_out_sets_a_cookie_to_a_new_value_so_that_the_back_button_shows_no_old_page() {
    let app = app().await;
    let mut seen = std::collections::HashSet::new();
    let mut jar = expired(&app).await;
    send(&app, &mut jar, page("/")).await;
    seen.insert(jar.value(MARKER).to_owned());
    for request in [
        form("/logout", &[]),
        form("/auth/signout", &[]),
        super::fetch(Method::POST, "/auth/signout"),
        super::fetch(Method::POST, "/auth/signout-all"),
        super::fetch(Method::POST, "/logout"),
    ] {
        app.wait(2);
        let mut jar = signed_in(&app).await;
        let path = request.uri().clone();
        let answer = send(&app, &mut jar, request).await;
        assert!(!jar.has(ACCESS) && !jar.has(REFRESH), "{path} {answer:?}");
        let lines = answer.headers.get_all("set-cookie").iter();
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
        let of_marker: Vec<_> = lines.iter().filter(|l| l.starts_with(MARKER)).collect();
        let [line] = of_marker[..] else {
            panic!("{path} {lines:?}")
        };
        assert!(
            line.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=10"),
            "{path} {line}"
        );
        assert!(seen.insert(jar.value(MARKER).to_owned()), "{path} {line}");
        assert_eq!(answer.headers["clear-site-data"], "\"cache\"", "{path}");
    }
}

/// A script signs out at the path of the form: without a body, and with all that its browser kept.
#[tokio::test]
async fn a_script_signs_out_where_the_form_does() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    app.wait(660);
    jar.0.retain(|(name, _)| name != ACCESS);
    let old = jar.clone();
    let said = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ];
    let foreign = app
        .send(jar.send(asked(Method::POST, "/logout", &said)))
        .await;
    foreign.assert_problem(403, "csrf");
    let answer = send(&app, &mut jar, super::fetch(Method::POST, "/logout")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(!jar.has(ACCESS) && !jar.has(REFRESH));
    assert_eq!(app.send(old.send(page("/maybe"))).await.text, "nobody");
}

#[tokio::test]
async fn a_visitor_proves_again_who_they_are_by_a_form() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    // The access token ran out on the way: it is renewed, and the refresh cookie arrives.
    app.wait(660);
    let wrong = [
        ("email", "ada@example.com"),
        ("password", "wrong"),
        ("next", "/fresh"),
    ];
    let answer = send(&app, &mut jar, form("/login/fresh", &wrong)).await;
    assert_eq!(
        location(&answer),
        "/login?reason=fresh-refused&next=%2Ffresh"
    );
    app.wait(660);
    let right = [LOGIN[0], LOGIN[1], ("next", "/fresh")];
    let answer = send(&app, &mut jar, form("/login/fresh", &right)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/fresh");
    assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH));
    assert_eq!(open(&app, &mut jar, "/fresh").await.text, "in");
    for _ in 0..3 {
        app.settle().await;
        app.wait(660);
        assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    }
    // Somebody else's password proves nothing, and a stranger has nothing to prove.
    let other = [("email", "grace@example.com"), ("password", PASSWORD)];
    let answer = send(&app, &mut jar, form("/login/fresh", &other)).await;
    assert_eq!(location(&answer), "/login?reason=fresh-refused&next=%2F");
    let answer = app.send(form("/login/fresh", &right)).await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2Ffresh");
    let answer = app.send(form("/auth/reauthenticate", &right)).await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2Ffresh");
}

/// A slow proof, whose answer comes too late for the cookies of the renewal before it: an access
/// token alone would say that the browser has the refresh token, too.
#[tokio::test]
async fn a_late_proof_hands_out_no_token_of_a_generation_that_the_browser_lacks() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    app.wait(660);
    super::slow_by(&app, 8);
    let answer = send(&app, &mut jar, form("/login/fresh", &LOGIN)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(!sets(&answer, ACCESS) && !sets(&answer, REFRESH));
    app.accounts.in_authenticate.clear();
    app.wait(60);
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    assert_eq!(
        open(&app, &mut jar, "/fresh").await.text,
        "in",
        "the proof itself counts"
    );
}

#[derive(Clone, JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
}

/// Those who used a second factor within the last five minutes.
#[derive(Policy)]
#[policy(acr = "urn:example:two-factors", max_age = "5m")]
struct Strong;

/// A backend whose users have a second factor, with the code `123456`.
#[auth_backend(email, user = Member, refresh(from = stored))]
#[derive(Clone, Default)]
struct Members {
    answers: Arc<AtomicU64>,
}

impl Authenticate for Members {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Member, AuthError> {
        if login.password.expose() != PASSWORD {
            return Err(AuthError::Invalid);
        }
        let mut step = SignInStep::new(1, "totp");
        step.acr = Some("urn:example:two-factors".to_owned());
        Err(step.into())
    }

    async fn step(
        &self,
        _: &SignInStep,
        answer: &StepAnswer,
        _: &Client,
    ) -> Result<Member, AuthError> {
        self.answers.fetch_add(1, Ordering::SeqCst);
        match answer.code() {
            Some("123456") => Ok(Member { id: 1 }),
            Some("again") => Err(SignInStep::new(1, "totp").into()),
            _ => Err(AuthError::Invalid),
        }
    }
}

fn member_routes(gate: &Gate<Members>) -> Router {
    async fn login(_: Public, page: LoginPage) -> String {
        format!("{:?} {}", page.reason(), page.next())
    }
    let pages = Router::new()
        .route(
            "/",
            get(async |user: Auth<Member>| user.subject().to_string()),
        )
        .route("/strong", get(async |_: Auth<Member, Strong>| "in"))
        .route("/login", get(login).merge(gate.form(PageForm::SignIn)))
        .route("/login/step", get(login).merge(gate.form(PageForm::Step)))
        .route("/login/fresh", gate.form(PageForm::Reauthenticate))
        .layer(gate.pages("/login"));
    gate.install(pages).with_state(gate.clone())
}

async fn members() -> App<Members> {
    let app = AppBuilder::of(Members::default(), member_routes).settings(settings());
    app.build().await
}

async fn sent(app: &App<Members>, jar: &mut Jar, request: Request<Body>) -> Answer {
    let answer = app.send(jar.send(request)).await;
    jar.take(&answer);
    answer
}

#[tokio::test]
async fn the_token_of_a_step_stays_in_a_cookie() {
    let app = members().await;
    let mut jar = Jar::default();
    let fields = [LOGIN[0], LOGIN[1], ("next", "/strong")];
    let answer = sent(&app, &mut jar, form("/login", &fields)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/login/step?next=%2Fstrong");
    let lines = answer.headers.get_all("set-cookie").iter();
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
    let [line] = lines[..] else {
        panic!("{lines:?}")
    };
    assert!(line.starts_with(&format!("{STEP}=tgs1_")), "{line}");
    assert!(
        line.ends_with("; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=300"),
        "{line}"
    );
    assert!(!location(&answer).contains("tgs1_"));

    let code = |code| form("/login/step", &[("code", code), ("next", "/strong")]);
    let first = jar.value(STEP).to_owned();
    let answer = sent(&app, &mut jar, code("wrong")).await;
    assert_eq!(
        location(&answer),
        "/login/step?reason=refused&next=%2Fstrong"
    );
    assert_ne!(jar.value(STEP), first, "a wrong code costs the token");
    let answer = sent(&app, &mut jar, code("123456")).await;
    assert_eq!(location(&answer), "/strong");
    assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH));
    assert!(!jar.has(STEP), "cleared at the end");
    assert_eq!(sent(&app, &mut jar, page("/strong")).await.text, "in");
}

#[tokio::test]
async fn a_step_that_is_over_leads_back_to_the_login_page() {
    let app = members().await;
    let mut jar = Jar::default();
    sent(&app, &mut jar, form("/login", &LOGIN)).await;
    let code = |code| form("/login/step", &[("code", code)]);
    for _ in 0..2 {
        let answer = sent(&app, &mut jar, code("wrong")).await;
        assert_eq!(location(&answer), "/login/step?reason=refused&next=%2F");
    }
    let answer = sent(&app, &mut jar, code("wrong")).await;
    assert_eq!(location(&answer), "/login?reason=refused&next=%2F");
    assert!(!jar.has(STEP));
    let answers = app.accounts.answers.load(Ordering::SeqCst);
    let answer = sent(&app, &mut jar, code("123456")).await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2F");
    jar.0.push((STEP.to_owned(), "nonsense".to_owned()));
    let answer = sent(&app, &mut jar, code("123456")).await;
    assert_eq!(location(&answer), "/login?reason=refused&next=%2F");
    assert_eq!(app.accounts.answers.load(Ordering::SeqCst), answers);
}

#[tokio::test]
async fn a_second_factor_renews_a_session_by_forms() {
    let app = members().await;
    let mut jar = Jar::default();
    sent(&app, &mut jar, form("/login", &LOGIN)).await;
    sent(&app, &mut jar, form("/login/step", &[("code", "again")])).await;
    sent(&app, &mut jar, form("/login/step", &[("code", "123456")])).await;
    app.wait(400);
    let answer = sent(&app, &mut jar, page("/strong")).await;
    assert_eq!(location(&answer), "/login?reason=fresh&next=%2Fstrong");
    let fields = [LOGIN[0], LOGIN[1], ("next", "/strong")];
    let answer = sent(&app, &mut jar, form("/login/fresh", &fields)).await;
    assert_eq!(location(&answer), "/login/step?next=%2Fstrong");
    assert!(jar.value(STEP).starts_with("fresh.tgs1_"));
    let code = |code| form("/login/step", &[("code", code), ("next", "/strong")]);
    let answer = sent(&app, &mut jar, code("wrong")).await;
    assert_eq!(
        location(&answer),
        "/login/step?reason=refused&next=%2Fstrong"
    );
    let session = jar.value(REFRESH).to_owned();
    let answer = sent(&app, &mut jar, code("123456")).await;
    assert_eq!(location(&answer), "/strong");
    assert!(!jar.has(STEP));
    assert_eq!(jar.value(REFRESH), session, "the session goes on");
    assert_eq!(sent(&app, &mut jar, page("/strong")).await.text, "in");
    let renewed = EventKind::Reauthenticated;
    assert!(app.heard_kinds().contains(&renewed));
}

#[tokio::test]
async fn a_handler_of_the_application_that_asks_for_a_step_leads_there_too() {
    let app = members().await;
    let gate = &app.gate;
    async fn ask(flow: tollgate::extract::AuthFlow<Members>) -> Rejection {
        let step = SignInStep::new(1, "totp");
        let allowed = tollgate::extract::Allowed::uncounted("a test");
        flow.step(allowed, step).await
    }
    let pages = Router::new()
        .route("/register", axum::routing::post(ask))
        .layer(gate.pages("/login"));
    let own = app.serving(gate.install(pages).with_state(gate.clone()));
    let answer = own.send(asked(Method::POST, "/register", &PAGE)).await;
    assert_eq!(location(&answer), "/login/step");
    assert!(sets(&answer, STEP));
}
