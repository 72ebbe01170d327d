//! Requests of visitors whom the gate could not renew: a handler that asks who they are refuses, and
//! every other one runs.

use std::fmt;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request, StatusCode};
use tollgate::extract::BearerOnly;
use tollgate::prelude::*;
use tollgate::settings::{Allowance, Consistency, ThrottleSettings};
use tollgate_tests::{Act, Answer, OtherStore, User};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{
    PAGE, app, asked, builder, expired, fetch, form, location, open, page, send, sets, settings,
    signed_in, slow_by,
};
use crate::cookies::{ACCESS, REFRESH};

/// Asserts that an answer is a page with this status.
fn assert_page(answer: &Answer, status: u16, reloads: bool) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers.contains_key("content-security-policy"));
    let length = answer.headers.get("content-length");
    assert!(length.is_none_or(|length| *length == answer.text.len().to_string()));
    let has_reload = answer.text.contains("http-equiv=\"refresh\"");
    assert_eq!(has_reload, reloads, "{}", answer.text);
}

/// A renewal whose cookies were lost can be repeated only after a while. Who leaves meanwhile
/// leaves.
#[tokio::test]
async fn a_sign_out_needs_no_renewal() {
    let app = app().await;
    let mut jar = expired(&app).await;
    slow_by(&app, 6);
    let slow = send(&app, &mut jar, asked(Method::POST, "/slow", &PAGE)).await;
    assert_eq!(slow.text, "ada@example.com");
    assert!(!sets(&slow, REFRESH));
    app.accounts.in_authenticate.clear();
    app.wait(6);
    // Nobody can tell whether the predecessor was stolen.
    let answer = send(&app, &mut jar, asked(Method::POST, "/change", &PAGE)).await;
    assert_page(&answer, 503, false);
    let mut kept = jar.clone();
    let answer = send(&app, &mut jar, form("/logout", &[])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(location(&answer), "/");
    assert!(!jar.has(ACCESS) && !jar.has(REFRESH));
    app.wait(20);
    let answer = open(&app, &mut kept, "/").await;
    assert_eq!(answer.text, "login none /", "the session lives on");
}

#[tokio::test]
async fn what_needs_no_caller_runs_where_nobody_can_decide() {
    let app = app().await;
    let mut jar = expired(&app).await;
    app.accounts.is_down.store(true, Ordering::SeqCst);
    for request in [
        asked(Method::POST, "/open", &PAGE),
        fetch(Method::POST, "/open"),
    ] {
        let answer = send(&app, &mut jar, request).await;
        assert_eq!(answer.text, "open");
    }
    // A handler with a caller refuses, also where the caller may be missing.
    for path in ["/change", "/maybe", "/slow"] {
        let answer = send(&app, &mut jar, asked(Method::POST, path, &PAGE)).await;
        assert_page(&answer, 503, false);
        let answer = send(&app, &mut jar, fetch(Method::POST, path)).await;
        answer.assert_problem(503, "unavailable");
    }
    // So does a form that a caller sends; the other forms of the gate have none.
    let answer = send(&app, &mut jar, form("/login/fresh", &[])).await;
    assert_page(&answer, 503, false);
    let answer = send(&app, &mut jar, form("/login/step", &[("code", "1")])).await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2F");
    let mut kept = jar.clone();
    let answer = send(&app, &mut jar, form("/logout", &[])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(!jar.has(REFRESH));
    app.accounts.is_down.store(false, Ordering::SeqCst);
    let answer = open(&app, &mut kept, "/").await;
    assert_eq!(answer.text, "login none /", "the session lives on");
}

#[tokio::test]
async fn a_sign_out_is_not_counted_as_a_renewal() {
    let mut throttle = ThrottleSettings::off();
    throttle.refresh = Allowance::per(1, std::time::Duration::from_secs(60));
    let app = builder().throttle(throttle).build().await;
    let mut jar = expired(&app).await;
    let with_ip = |mut request: Request<Body>| {
        let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 4000));
        let peer = axum::extract::ConnectInfo(peer);
        request.extensions_mut().insert(peer);
        request
    };
    send(&app, &mut jar, with_ip(page("/"))).await;
    jar.0.retain(|(name, _)| name != ACCESS);
    let change = asked(Method::POST, "/change", &PAGE);
    let answer = send(&app, &mut jar, with_ip(change)).await;
    assert_page(&answer, 429, false);
    let answer = send(&app, &mut jar, with_ip(form("/logout", &[]))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(!jar.has(REFRESH));
}

/// A handler that looks at headers alone has nothing to do with the cookies.
#[tokio::test]
async fn a_credential_in_a_header_alone_is_decided_without_the_cookies() {
    let app = app().await;
    let own = Router::new()
        .route(
            "/bearer",
            axum::routing::post(async |BearerOnly(_): BearerOnly<Auth<User>>| "in"),
        )
        .layer(app.gate.pages("/login"))
        .with_state(app.gate.clone());
    let mut jar = expired(&app).await;
    app.accounts.is_down.store(true, Ordering::SeqCst);
    let answer = send(&app.serving(own), &mut jar, fetch(Method::POST, "/bearer")).await;
    answer.assert_problem(401, "missing_token");
}

/// A browser shows what it prefetched when the user opens the page: the page of a stranger must not
/// be shown to a user who is signed in.
#[tokio::test]
async fn a_prefetch_never_shows_a_user_the_page_of_a_stranger() {
    let app = app().await;
    let mut jar = expired(&app).await;
    jar.0.retain(|(name, _)| name != ACCESS);
    drop(app.heard());
    for ahead in [("sec-purpose", "prefetch;prerender"), ("x-moz", "prefetch")] {
        let said = [&PAGE[..], &[ahead]].concat();
        for path in ["/lenient", "/maybe", "/"] {
            let answer = send(&app, &mut jar, asked(Method::GET, path, &said)).await;
            answer.assert_problem(503, "unavailable");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
        let answer = send(&app, &mut jar, asked(Method::GET, "/public", &said)).await;
        assert_eq!(answer.text, "cached");
        // A stranger has no other page.
        let answer = app.send(asked(Method::GET, "/lenient", &said)).await;
        assert_eq!(answer.text, "nobody");
    }
    assert_eq!(app.heard_kinds(), [], "nothing was tried");
}

/// A visitor whose access token is valid sees a page that reloads itself, too.
#[tokio::test]
async fn r7_a_valid_token_that_nobody_can_judge_is_answered_by_a_page() {
    let mut settings = settings();
    settings.revocation.consistency = Consistency::Strict;
    let store = OtherStore::new();
    let strict = builder().settings(settings).store(store.clone()).build();
    let strict = strict.await;
    let paused = app().await;
    let mut jars = [signed_in(&strict).await, signed_in(&paused).await];
    store.on_each(|_| Act::Fail);
    paused.gate.pause().await.unwrap();
    for (app, jar) in [&strict, &paused].into_iter().zip(&mut jars) {
        for path in ["/", "/maybe", "/lenient"] {
            let answer = send(app, jar, page(path)).await;
            assert_page(&answer, 503, true);
            assert_eq!(answer.headers["vary"], "Cookie");
            let answer = send(app, jar, fetch(Method::GET, path)).await;
            answer.assert_problem(503, "unavailable");
        }
        let answer = send(app, jar, asked(Method::POST, "/change", &PAGE)).await;
        assert_page(&answer, 503, false);
        let said = [&PAGE[..], &[("sec-purpose", "prefetch")]].concat();
        let answer = send(app, jar, asked(Method::GET, "/", &said)).await;
        answer.assert_problem(503, "unavailable");
        let answer = send(app, jar, page("/public")).await;
        assert_eq!(answer.text, "cached");
    }
}

/// The application's own words stay: a problem of its own, and a page.
#[tokio::test]
async fn a_503_of_the_application_is_left_alone() {
    let app = app().await;
    let own = Router::new()
        .route("/", get(async || (StatusCode::SERVICE_UNAVAILABLE, "own")))
        .route(
            "/busy",
            get(async |_: Auth<User>| {
                (
                    [("set-cookie", "seen=1")],
                    Rejection::from(Code::TooManyRequests),
                )
            }),
        )
        .layer(app.gate.pages("/login"))
        .with_state(app.gate.clone());
    let own = app.serving(own);
    let mut jar = signed_in(&app).await;
    assert_eq!(send(&own, &mut jar, page("/")).await.text, "own");
    let answer = send(&own, &mut jar, page("/busy")).await;
    assert_page(&answer, 429, false);
    assert!(sets(&answer, "seen"));
}

/// Keeps the lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tollgate")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Browsers prefetch what nobody may ever open: that is no line of a warning each time.
#[tokio::test]
async fn a_prefetch_is_not_logged_as_a_failure() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let log = Log::default();
    // Two dispatchers: of a process that has only one, a line that another thread reaches first is
    // asked of that thread's dispatcher, which is none, and never written again.
    let _second = tracing::Dispatch::new(log.clone());
    let _logging = tracing::subscriber::set_default(log.clone());
    let said = [&PAGE[..], &[("sec-purpose", "prefetch")]].concat();
    let answer = app.send(asked(Method::GET, "/", &said)).await;
    answer.assert_problem(503, "unavailable");
    for path in ["/", "/lenient"] {
        let answer = send(&app, &mut jar, asked(Method::GET, path, &said)).await;
        answer.assert_problem(503, "unavailable");
    }
    let lines = log.0.lock().unwrap();
    assert!(!lines.is_empty());
    let loud = lines.iter().find(|line| !line.starts_with("DEBUG"));
    assert_eq!(loud, None);
}
