//! A handler of the application that signs somebody in or out answers as the auth routes do.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Query;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Json, Router};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tollgate::action::{ActionPurpose, ActionToken};
use tollgate::clock::Timestamp;
use tollgate::event::EventKind;
use tollgate::gate::EndSessions;
use tollgate::prelude::*;
use tollgate::routing::{any, get, post};
use tollgate::settings::{Allowance, ThrottleSettings};
use tollgate_tests::{Accounts, Answer, App, START, User, request};

use super::cookies::{ACCESS, DEVICE, Jar, REFRESH, settings, signed_in, with};

const STATE: &str = "__Host-tollgate-state";
const SITE: (&str, &str) = ("sec-fetch-site", "same-origin");
const MODE: (&str, &str) = ("sec-fetch-mode", "cors");

/// Signs in without a password.
struct MagicLink;

impl ActionPurpose for MagicLink {
    const NAME: &'static str = "magic_link";
    const LIFETIME: Duration = Duration::from_secs(900);
}

#[derive(Policy)]
#[policy(max_age = "5m")]
struct Fresh;

#[derive(Deserialize)]
struct Register {
    email: String,
}

async fn register(
    _: Public,
    flow: AuthFlow<Accounts>,
    Json(form): Json<Register>,
) -> Result<SignedIn, Rejection> {
    let allowed = flow.allow("register", &form.email).await?;
    let accounts = flow.gate().backend();
    accounts.add(&form.email, vec![], vec![], false);
    let user = accounts.user(&form.email);
    Ok(flow.open(allowed, &user).await?.with("email", &user.email))
}

async fn magic_form(_: Public) -> Html<&'static str> {
    Html("<form method=post>")
}

#[derive(Deserialize)]
struct Magic {
    token: String,
}

async fn magic(
    _: Public,
    flow: AuthFlow<Accounts>,
    Json(form): Json<Magic>,
) -> Result<SignedIn, Rejection> {
    let token = ActionToken::<MagicLink>::new(form.token);
    let proof = token.consume(flow.gate()).await?;
    let user = flow.gate().backend().user(proof.address());
    let allowed = Allowed::uncounted("the token counts once");
    flow.open(allowed, &user).acr("urn:example:link").await
}

async fn leave(_: Public, flow: AuthFlow<Accounts>) -> Result<impl IntoResponse, Rejection> {
    let leave = flow.leave("google")?;
    let to = format!("https://accounts.example/authorize?state={}", leave.state());
    Ok((leave, Redirect::to(&to)))
}

#[derive(Deserialize)]
struct Callback {
    state: String,
    auth_time: Option<u64>,
}

async fn callback(
    _: Public,
    flow: AuthFlow<Accounts>,
    Query(query): Query<Callback>,
) -> Result<Response, Rejection> {
    let returned = flow.returned("google", &query.state)?;
    let user = flow.gate().backend().user("ada@example.com");
    let allowed = Allowed::uncounted("the provider counts");
    let transport = flow.transport();
    let open = flow.open(allowed, &user).returning(returned);
    let open = match query.auth_time {
        Some(at) => open.authenticated_at(Timestamp::from_secs(at)),
        None => open,
    };
    let signed_in = open.await?;
    Ok(match transport {
        tollgate::device::Transport::Cookie => {
            (signed_in.cookies(), Redirect::to("/")).into_response()
        }
        _ => signed_in.into_response(),
    })
}

async fn close(user: Auth<User, Fresh>, flow: AuthFlow<Accounts>) -> Result<Response, Rejection> {
    let email = user.email().to_owned();
    let gate = flow.gate();
    gate.backend().remove(&email);
    gate.credentials_changed(user.subject(), EndSessions::All)
        .await?;
    flow.close().await
}

/// Opens for Ada whatever the method is, and counts how often it ran.
async fn open(_: Public, flow: AuthFlow<Accounts>) -> Result<SignedIn, Rejection> {
    let accounts = flow.gate().backend();
    accounts
        .authentications
        .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let user = accounts.user("ada@example.com");
    flow.open(Allowed::uncounted("a test"), &user).await
}

async fn redirect(_: Public, flow: AuthFlow<Accounts>) -> Result<impl IntoResponse, Rejection> {
    let user = flow.gate().backend().user("ada@example.com");
    let signed_in = flow.open(Allowed::uncounted("a test"), &user).await?;
    Ok((signed_in.cookies(), Redirect::to("/")))
}

async fn named(_: Public, flow: AuthFlow<Accounts>, name: String) -> Result<SignedIn, Rejection> {
    let user = flow.gate().backend().user("ada@example.com");
    let signed_in = flow.open(Allowed::uncounted("a test"), &user).await?;
    Ok(signed_in.with(&name, "x"))
}

async fn step(_: Public, flow: AuthFlow<Accounts>) -> Result<SignedIn, Rejection> {
    let allowed = flow.allow("register", "ada@example.com").await?;
    let id = flow.gate().backend().id_of("ada@example.com");
    Err(flow.step(allowed, SignInStep::new(id, "totp")).await)
}

/// Sets another password and signs in; between the two somebody else may change the account.
async fn reset(
    _: Public,
    mut flow: AuthFlow<Accounts>,
    meanwhile: String,
) -> Result<SignedIn, Rejection> {
    let accounts = flow.gate().backend().clone();
    let user = accounts.user("ada@example.com");
    let ada = accounts.id_of("ada@example.com");
    accounts.set_password("ada@example.com", "another long and quiet sentence");
    if meanwhile == "twice" {
        let access = tollgate::gate::Access::RefreshNow;
        flow.gate().claims_changed(&ada, access).await?;
    }
    flow.credentials_changed(&ada, EndSessions::All).await?;
    if meanwhile == "disabled" {
        flow.gate()
            .credentials_changed(&ada, EndSessions::All)
            .await?;
    }
    flow.open(Allowed::uncounted("a test"), &user).await
}

/// Remembers as the body says: `true`, `false`, or for so many seconds.
async fn stay(_: Public, flow: AuthFlow<Accounts>, how: String) -> Result<SignedIn, Rejection> {
    let user = flow.gate().backend().user("ada@example.com");
    let open = flow.open(Allowed::uncounted("a test"), &user);
    match how.parse() {
        Ok(seconds) => open.remember_for(Duration::from_secs(seconds)).await,
        Err(_) => open.remember(how == "true").await,
    }
}

async fn end(_: Public, flow: AuthFlow<Accounts>) -> Result<Response, Rejection> {
    flow.close().await
}

fn routes(app: &App) -> App {
    let own = ProtectedRouter::new()
        .route("/register", post(register))
        .route("/magic", get(magic_form).post(magic))
        .route("/leave", get(leave))
        .route("/callback", get(callback))
        .route("/close", post(close))
        .route("/open", any(open))
        .route("/redirect", post(redirect))
        .route("/named", post(named))
        .route("/step", post(step))
        .route("/stay", post(stay))
        .route("/reset", post(reset))
        .route("/end", post(end));
    let own = app.gate.install(own).with_state(app.gate.clone());
    app.serving(own.merge(Router::new().nest("/tests", tollgate_tests::routes(&app.gate))))
}

async fn body_app() -> App {
    routes(&App::new().await)
}

async fn cookie_app() -> App {
    routes(&App::with(settings()).await)
}

fn post_json(path: &str, body: Value) -> Request<Body> {
    request(Method::POST, path, None, Some(body))
}

async fn me(app: &App, token: &str) -> StatusCode {
    app.get("/tests/me", token).await.status
}

async fn me_of(app: &App, jar: &Jar) -> StatusCode {
    let request = jar.send(request(Method::GET, "/tests/me", None, None));
    app.send(request).await.status
}

/// A browser: sends its cookies, says where its page is from, and keeps what is set.
async fn browse(app: &App, jar: &mut Jar, request: Request<Body>) -> Answer {
    let request = with(jar.send(request), &[SITE, MODE]);
    let answer = app.send(request).await;
    jar.take(&answer);
    answer
}

#[tokio::test]
async fn a_registration_signs_in_with_tokens_in_the_body() {
    let app = body_app().await;
    let form = json!({ "email": "new@example.com" });
    let answer = app.send(post_json("/register", form)).await;
    let tokens = answer.tokens();
    assert_eq!(answer.json()["email"], "new@example.com");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.headers.contains_key(SET_COOKIE));
    assert_eq!(me(&app, &tokens.access).await, StatusCode::OK);
    app.wait(60);
    assert_eq!(app.refresh(&tokens.refresh).await.status, StatusCode::OK);
    assert!(app.heard_kinds().contains(&EventKind::SignedIn));
}

#[tokio::test]
async fn a_registration_in_a_browser_signs_in_with_cookies() {
    let app = cookie_app().await;
    let mut jar = Jar::default();
    let form = post_json("/register", json!({ "email": "new@example.com" }));
    let answer = browse(&app, &mut jar, form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(!answer.text.contains("_token\""), "{}", answer.text);
    for name in [ACCESS, REFRESH, DEVICE] {
        assert!(jar.has(name), "{name}");
    }
    assert_eq!(me_of(&app, &jar).await, StatusCode::OK);
}

#[tokio::test]
async fn a_magic_link_opens_once_by_its_form() {
    for app in [body_app().await, cookie_app().await] {
        let ada = app.accounts.id_of("ada@example.com");
        let token: ActionToken<MagicLink> = app
            .gate
            .action_token(&ada, "ada@example.com")
            .await
            .unwrap();
        let form = || post_json("/magic", json!({ "token": token.expose() }));
        let shown = app.send(request(Method::GET, "/magic", None, None)).await;
        assert_eq!(shown.status, StatusCode::OK);
        let mut jar = Jar::default();
        let answer = browse(&app, &mut jar, form()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let access = match jar.has(ACCESS) {
            true => jar.value(ACCESS).to_owned(),
            false => answer.tokens().access,
        };
        let verified = app.gate.verify(&access).await.unwrap();
        assert_eq!(verified.token().acr(), Some("urn:example:link"));
        let again = browse(&app, &mut Jar::default(), form()).await;
        again.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn an_oauth_callback_opens_for_the_browser_that_left() {
    for (app, is_cookie) in [(body_app().await, false), (cookie_app().await, true)] {
        let mut jar = Jar::default();
        let left = browse(&app, &mut jar, request(Method::GET, "/leave", None, None)).await;
        assert_eq!(left.status, StatusCode::SEE_OTHER);
        let line = left.headers[SET_COOKIE].to_str().unwrap();
        for part in [
            "HttpOnly",
            "SameSite=Lax",
            "Secure",
            "Path=/",
            "Max-Age=600",
        ] {
            assert!(line.contains(part), "{line}");
        }
        let to = left.headers["location"].to_str().unwrap();
        let (_, state) = to.split_once("state=").unwrap();
        let back = || request(Method::GET, &format!("/callback?state={state}"), None, None);
        // The provider's site sends the browser back.
        let request = with(
            jar.send(back()),
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
        );
        let answer = app.send(request).await;
        jar.take(&answer);
        if is_cookie {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(me_of(&app, &jar).await, StatusCode::OK);
        } else {
            assert_eq!(me(&app, &answer.tokens().access).await, StatusCode::OK);
        }
        assert!(!jar.has(STATE), "a state counts once");
        let again = browse(&app, &mut jar, back()).await;
        again.assert_problem(403, "csrf");
    }
}

#[tokio::test]
async fn a_browser_that_did_not_leave_does_not_return() {
    let app = cookie_app().await;
    let mut jar = Jar::default();
    let left = browse(&app, &mut jar, request(Method::GET, "/leave", None, None)).await;
    let to = left.headers["location"].to_str().unwrap();
    let state = to.split_once("state=").unwrap().1.to_owned();
    let back = |state: &str| request(Method::GET, &format!("/callback?state={state}"), None, None);
    // The victim of a link that carries the attacker's state.
    let victim = app.send(back(&state)).await;
    victim.assert_problem(403, "csrf");
    let other = browse(&app, &mut jar.clone(), back("x")).await;
    other.assert_problem(403, "csrf");
    let none = browse(&app, &mut jar.clone(), back("")).await;
    none.assert_problem(403, "csrf");
    let mut elsewhere = jar.clone();
    for (_, value) in &mut elsewhere.0 {
        // The part of the cookie about the service.
        *value = value.replacen(|c: char| c.is_ascii_hexdigit() && c > '9', "0", 1);
    }
    if elsewhere.0 != jar.0 {
        let answer = browse(&app, &mut elsewhere, back(&state)).await;
        answer.assert_problem(403, "csrf");
    }
    app.wait(600);
    let late = browse(&app, &mut jar.clone(), back(&state)).await;
    late.assert_problem(403, "csrf");
}

#[tokio::test]
async fn closing_an_account_ends_its_sessions_and_clears_every_cookie() {
    let app = cookie_app().await;
    let (mut jar, _) = signed_in(&app).await;
    let kept = jar.clone();
    let answer = browse(&app, &mut jar, request(Method::POST, "/close", None, None)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    assert!(jar.0.is_empty(), "{jar:?}");
    assert_eq!(me_of(&app, &kept).await, StatusCode::UNAUTHORIZED);

    let app = body_app().await;
    let tokens = app.sign_in("ada@example.com").await;
    let closed = app.post_as("/close", &tokens.access, None).await;
    assert_eq!(closed.status, StatusCode::NO_CONTENT, "{}", closed.text);
    assert_eq!(me(&app, &tokens.access).await, StatusCode::UNAUTHORIZED);
    assert!(!closed.headers.contains_key(SET_COOKIE));
}

#[tokio::test]
async fn close_ends_the_session_of_the_request_alone() {
    let app = cookie_app().await;
    let (other, _) = signed_in(&app).await;
    let (mut jar, _) = signed_in(&app).await;
    let kept = jar.clone();
    // The refresh cookie alone is enough: it was hidden from the handler, not from the flow.
    jar.0.retain(|(name, _)| name == REFRESH);
    let answer = browse(&app, &mut jar, request(Method::POST, "/end", None, None)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    assert_eq!(me_of(&app, &kept).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me_of(&app, &other).await, StatusCode::OK);
    let nobody = app.send(request(Method::POST, "/end", None, None)).await;
    nobody.assert_problem(401, "missing_token");
    assert!(!nobody.headers.contains_key(SET_COOKIE));
}

#[tokio::test]
async fn r108_a_page_of_another_origin_does_not_even_run_the_handler() {
    let app = cookie_app().await;
    let ran = || {
        app.accounts
            .authentications
            .load(std::sync::atomic::Ordering::SeqCst)
    };
    for headers in [
        [("sec-fetch-site", "cross-site"), MODE],
        [("sec-fetch-site", "same-site"), MODE],
        [
            ("origin", "https://evil.example"),
            ("host", "api.example.com"),
        ],
        [("origin", "null"), ("host", "api.example.com")],
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let before = ran();
            let request = with(request(method, "/open", None, None), &headers);
            let answer = app.send(request).await;
            answer.assert_problem(403, "csrf");
            assert!(!answer.headers.contains_key(SET_COOKIE));
            assert_eq!(ran(), before, "{headers:?}");
        }
    }
    let here = with(request(Method::POST, "/open", None, None), &[SITE, MODE]);
    assert_eq!(app.send(here).await.status, StatusCode::OK);
    let listed = with(
        request(Method::POST, "/open", None, None),
        &[
            ("origin", "https://app.example.com"),
            ("sec-fetch-site", "cross-site"),
        ],
    );
    assert_eq!(app.send(listed).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_is_opened_on_a_method_that_a_link_makes() {
    for app in [body_app().await, cookie_app().await] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = with(request(method.clone(), "/open", None, None), &[SITE, MODE]);
            let answer = app.send(request).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{method}");
            assert!(!answer.headers.contains_key(SET_COOKIE));
        }
        let ada = app.accounts.id_of("ada@example.com");
        assert!(app.gate.sessions().of(ada).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn r98_a_session_that_the_cookies_present_ends_with_the_next_one() {
    let app = cookie_app().await;
    let (mut jar, _) = signed_in(&app).await;
    let first = jar.value(ACCESS).to_owned();
    // The handler does not see the refresh cookie, and yet its session ends.
    jar.0.retain(|(name, _)| name == REFRESH);
    browse(&app, &mut jar, request(Method::POST, "/open", None, None)).await;
    assert_eq!(me(&app, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me_of(&app, &jar).await, StatusCode::OK);
    // A bearer token beside the cookie did not come from the browser.
    let (ada, client) = (app.accounts.user("ada@example.com"), Client::unknown());
    let bearer = app.gate.sign_in(ada, &client).await.unwrap().access_token;
    let mut with_bearer = request(Method::POST, "/open", Some(&bearer), None);
    with_bearer = with(with_bearer, &[SITE, MODE]);
    assert_eq!(app.send(with_bearer).await.status, StatusCode::OK);
    assert_eq!(me(&app, &bearer).await, StatusCode::OK);
}

fn is_in_body(answer: &Answer) -> bool {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let has_cookies = answer.headers.contains_key(SET_COOKIE);
    let in_body = answer.json()["access_token"].is_string();
    assert_ne!(has_cookies, in_body, "one of both: {}", answer.text);
    in_body
}

#[tokio::test]
async fn tokens_travel_in_cookies_where_a_browser_asks() {
    let app = cookie_app().await;
    let post = || request(Method::POST, "/open", None, None);
    let body = ("tollgate-transport", "body");
    let origin = ("origin", "https://app.example.com");
    for (headers, in_body) in [
        (&[][..], true),
        (&[body], true),
        (&[SITE, MODE], false),
        (&[origin], false),
        (&[SITE, MODE, body], true),
        (&[origin, body], true),
    ] {
        let answer = app.send(with(post(), headers)).await;
        assert_eq!(is_in_body(&answer), in_body, "{headers:?}");
    }
    for name in [
        ACCESS,
        REFRESH,
        DEVICE,
        STATE,
        "__Host-tollgate-step",
        "__Secure-tollgate-refresh",
    ] {
        let jar = Jar(vec![(name.to_owned(), "x".to_owned())]);
        let answer = app.send(with(jar.send(post()), &[SITE, MODE, body])).await;
        assert!(
            !is_in_body(&answer),
            "a script read what {name} keeps from it"
        );
    }
    for wrong in ["cookie", "Body", ""] {
        let answer = app
            .send(with(post(), &[("tollgate-transport", wrong)]))
            .await;
        answer.assert_problem(400, "invalid_request");
    }
    let twice = app.send(with(post(), &[body, body])).await;
    twice.assert_problem(400, "invalid_request");
    let off = body_app().await;
    assert!(is_in_body(&off.send(with(post(), &[SITE, MODE])).await));
}

#[tokio::test]
async fn cookies_in_front_of_another_answer_need_cookies() {
    let app = cookie_app().await;
    let mut jar = Jar::default();
    let answer = browse(
        &app,
        &mut jar,
        request(Method::POST, "/redirect", None, None),
    )
    .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(me_of(&app, &jar).await, StatusCode::OK);
    let off = body_app().await;
    let answer = off
        .send(request(Method::POST, "/redirect", None, None))
        .await;
    answer.assert_problem(500, "internal_error");
}

#[tokio::test]
async fn a_member_that_is_named_like_ours_is_a_mistake_of_the_server() {
    for app in [body_app().await, cookie_app().await] {
        for name in [
            "access_token",
            "refresh_token",
            "token_type",
            "expires_in",
            "refresh_expires_in",
            "session_id",
        ] {
            let request = with(
                Request::post("/named").body(Body::from(name)).unwrap(),
                &[SITE, MODE],
            );
            let answer = app.send(request).await;
            answer.assert_problem(500, "internal_error");
            assert!(!answer.headers.contains_key(SET_COOKIE), "{name}");
        }
        let request = Request::post("/named").body(Body::from("name")).unwrap();
        assert_eq!(app.send(request).await.json()["name"], "x");
    }
}

#[tokio::test]
async fn an_address_in_two_spellings_is_counted_as_one() {
    let mut throttle = ThrottleSettings::off();
    throttle.action = Allowance::Attempts {
        burst: 2,
        period: Duration::from_secs(3600),
    };
    let app = App::builder().throttle(throttle).build().await;
    let app = routes(&app);
    for (email, status) in [
        ("new@example.com", 200),
        (" New@Example.com. ", 200),
        ("NEW@example.com", 429),
        ("other@example.com", 200),
    ] {
        let answer = app
            .send(post_json("/register", json!({ "email": email })))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{email}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_provider_says_when_the_user_proved_who_they_are() {
    let app = body_app().await;
    let start = START.as_secs();
    let absolute = Settings::default().session.absolute.as_secs();
    let back = async |auth_time: u64| {
        let mut jar = Jar::default();
        let left = browse(&app, &mut jar, request(Method::GET, "/leave", None, None)).await;
        let to = left.headers["location"].to_str().unwrap();
        let state = to.split_once("state=").unwrap().1;
        let path = format!("/callback?state={state}&auth_time={auth_time}");
        browse(&app, &mut jar, request(Method::GET, &path, None, None)).await
    };
    for auth_time in [start, start - 400, start - absolute] {
        let access = back(auth_time).await.tokens().access;
        let verified = app.gate.verify(&access).await.unwrap();
        assert_eq!(verified.token().auth_time().unwrap().as_secs(), auth_time);
    }
    // The clock of the provider is a little ahead: no session is of the future.
    let access = back(start + 1).await.tokens().access;
    let verified = app.gate.verify(&access).await.unwrap();
    assert_eq!(verified.token().auth_time(), Some(START));
    for future in [start + 3600, 4_000_000_000, u64::MAX / 1000] {
        back(future)
            .await
            .assert_problem(401, "invalid_credentials");
    }
    for past in [start - absolute - 1, 0] {
        let answer = back(past).await;
        answer.assert_problem(401, "insufficient_user_authentication");
    }
}

#[tokio::test]
async fn a_step_before_the_session_goes_on_at_the_gates_own_route() {
    let app = body_app().await;
    let asked = app.send(request(Method::POST, "/step", None, None)).await;
    asked.assert_problem(401, "insufficient_user_authentication");
    assert_eq!(asked.json()["step"], "totp");
    let token = asked.json()["step_token"].as_str().unwrap().to_owned();
    // The backend of these tests takes no code.
    let answer = json!({ "step_token": token, "code": "1" });
    let answer = app.post("/auth/signin/step", answer).await;
    answer.assert_problem(401, "invalid_credentials");
    assert!(
        answer.json()["step_token"].is_string(),
        "it may be tried again"
    );
}

#[tokio::test]
async fn a_device_that_registered_is_known() {
    let mut settings = settings();
    settings.throttle = ThrottleSettings::off();
    settings.throttle.identifier = Allowance::Attempts {
        burst: 1,
        period: Duration::from_secs(3600),
    };
    let app = routes(&App::with(settings).await);
    let mut jar = Jar::default();
    let form = post_json("/register", json!({ "email": "new@example.com" }));
    browse(&app, &mut jar, form).await;
    let wrong = || {
        let login = json!({ "email": "new@example.com", "password": "wrong" });
        post_json("/auth/signin", login)
    };
    // A stranger uses up the budget of the account.
    for status in [401, 429] {
        assert_eq!(app.send(wrong()).await.status.as_u16(), status);
    }
    let own = jar.send(with(wrong(), &[SITE]));
    assert_eq!(
        app.send(own).await.status.as_u16(),
        401,
        "the device has a budget of its own"
    );
}

#[tokio::test]
async fn a_redirect_stays_on_this_origin() {
    let app = body_app().await;
    let next = async |_: Public, flow: AuthFlow<Accounts>, next: String| {
        Redirect::to(flow.safe_next(&next)).into_response()
    };
    let router = Router::new()
        .route("/next", axum::routing::post(next))
        .with_state(app.gate.clone());
    let app = app.serving(router);
    for (next, to) in [
        ("/orders?id=7", "/orders?id=7"),
        ("//evil", "/"),
        ("/\\evil", "/"),
        ("https://evil.example", "/"),
        ("/auth/signout", "/"),
    ] {
        let request = Request::post("/next").body(Body::from(next)).unwrap();
        assert_eq!(app.send(request).await.headers["location"], to, "{next}");
    }
}

/// A change of the credentials within the last second is not overlooked.
#[tokio::test]
async fn what_changed_while_the_handler_ran_is_not_opened() {
    let app = body_app().await;
    let ada = app.accounts.id_of("ada@example.com");
    app.gate
        .credentials_changed(&ada, EndSessions::All)
        .await
        .unwrap();
    let refused = app.send(request(Method::POST, "/open", None, None)).await;
    refused.assert_problem(503, "unavailable");
    app.wait(2);
    let opened = app.send(request(Method::POST, "/open", None, None)).await;
    assert_eq!(opened.status, StatusCode::OK);
}

#[tokio::test]
async fn handlers_do_not_see_the_refresh_cookie() {
    let app = cookie_app().await;
    let (jar, _) = signed_in(&app).await;
    let seen = async |headers: HeaderMap| format!("{:?}", headers.get_all("cookie"));
    let router = Router::new().route("/seen", axum::routing::get(seen));
    let installed = app.gate.install(router).with_state(app.gate.clone());
    let app = app.serving(installed);
    let answer = app
        .send(jar.send(request(Method::GET, "/seen", None, None)))
        .await;
    assert!(
        answer.text.contains(ACCESS) && !answer.text.contains(REFRESH),
        "{}",
        answer.text
    );
}

/// Nobody has to wait a second after a change that the flow itself made.
#[tokio::test]
async fn a_reset_signs_in_at_once_unless_the_account_changed_again() {
    let app = body_app().await;
    let before = app.sign_in("ada@example.com").await;
    let tokens = app.send(posted("/reset", "")).await.tokens();
    assert_eq!(me(&app, &tokens.access).await, StatusCode::OK);
    assert_eq!(me(&app, &before.access).await, StatusCode::UNAUTHORIZED);
    app.wait(2);
    let refused = app.send(posted("/reset", "disabled")).await;
    refused.assert_problem(503, "unavailable");
    assert_eq!(me(&app, &tokens.access).await, StatusCode::UNAUTHORIZED);
}

fn posted(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// Returns the line that sets a cookie.
fn line_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    lines
        .map(|line| line.to_str().unwrap())
        .find(|line| line.starts_with(name))
        .unwrap_or_else(|| panic!("{name} is not set"))
}

#[tokio::test]
async fn a_session_that_is_not_to_be_remembered_ends_sooner_and_its_cookies_with_the_browser() {
    let app = cookie_app().await;
    for (how, is_kept) in [("true", true), ("false", false)] {
        let mut jar = Jar::default();
        let answer = browse(&app, &mut jar, posted("/stay", how)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        app.wait(60);
        let refresh = request(Method::POST, "/auth/refresh-access", None, None);
        let renewed = browse(&app, &mut jar, refresh).await;
        assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text);
        for answer in [&answer, &renewed] {
            for name in [ACCESS, REFRESH] {
                let line = line_of(answer, name);
                assert_eq!(line.contains("Max-Age"), is_kept, "{how}: {line}");
            }
        }
        let proof = request(
            Method::POST,
            "/auth/reauthenticate",
            None,
            Some(super::cookies::login()),
        );
        let proved = browse(&app, &mut jar, proof).await;
        let line = line_of(&proved, ACCESS);
        assert_eq!(line.contains("Max-Age"), is_kept, "{how}: {line}");
    }
}

#[tokio::test]
async fn a_brief_session_has_its_own_idle_and_absolute_end() {
    let hour = 60 * 60;
    let app = body_app().await;
    let open = async |how: &str| app.send(posted("/stay", how)).await.tokens();
    // Used each eleven hours: it goes on until a day is over.
    let mut brief = open("false").await;
    for _ in 0..2 {
        app.wait(11 * hour);
        brief = app.refresh(&brief.refresh).await.tokens();
    }
    app.wait(2 * hour);
    app.refresh(&brief.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    // Used once, and then not for twelve.
    let brief = open("false").await;
    app.wait(hour);
    let brief = app.refresh(&brief.refresh).await.tokens();
    app.wait(12 * hour);
    app.refresh(&brief.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    // Not used for twelve.
    let brief = open("false").await;
    let long = open("true").await;
    app.wait(12 * hour);
    app.refresh(&brief.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    let long = app.refresh(&long.refresh).await.tokens();
    app.wait(10 * 24 * hour);
    let _ = app.refresh(&long.refresh).await.tokens();
}

#[tokio::test]
async fn a_session_is_remembered_for_as_long_as_the_handler_says_within_limits() {
    let app = body_app().await;
    let absolute = Settings::default().session.absolute.as_secs();
    let idle = Settings::default().session.idle.as_secs();
    for (said, expected) in [(3600, 3600), (0, 60), (u64::MAX / 2000, idle)] {
        let answer = app.send(posted("/stay", &said.to_string())).await;
        assert_eq!(answer.json()["refresh_expires_in"], expected, "{said}");
    }
    let tokens = app.send(posted("/stay", "3600")).await.tokens();
    app.wait(3599);
    let tokens = app.refresh(&tokens.refresh).await.tokens();
    app.wait(1);
    app.refresh(&tokens.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    assert!(absolute > idle);
}

/// Two changes of one handler in the same millisecond are its own, and the session opens.
#[tokio::test]
async fn a_second_change_of_the_same_moment_does_not_refuse_the_session() {
    let app = body_app().await;
    let twice = Request::post("/reset").body(Body::from("twice")).unwrap();
    let opened = app.send(twice).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
}
