//! A sign-in takes the place of the sessions that the browser presents, or leaves them as they are
//! (R98).

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use serde_json::json;
use tollgate::event::{EventKind, RevokedTarget};
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate::store::SqliteStore;
use tollgate_tests::{Act, Answer, App, OtherStore, PASSWORD, request};

use crate::cookies::{Jar, REFRESH, post_from, settings, signed_in};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// Signs a user in on a browser, which presents its cookies.
async fn sign_in(app: &App, browser: &Jar, email: &str) -> Answer {
    let login = json!({ "email": email, "password": PASSWORD });
    app.send(browser.send(post_from("/auth/signin", Some(login))))
        .await
}

async fn me(app: &App, browser: &Jar) -> StatusCode {
    let me = browser.send(request(Method::GET, "/me", None, None));
    app.send(me).await.status
}

/// Asserts that a refused sign-in left everything as it was: it cleared and set no cookie, reported
/// no end, and the access token and the refresh token of the browser are worth what they were.
async fn assert_untouched(app: &App, browser: &mut Jar, answer: &Answer) {
    assert!(!answer.headers.contains_key(SET_COOKIE));
    let heard = app.heard_kinds();
    assert!(
        !heard
            .iter()
            .any(|kind| matches!(kind, EventKind::Revoked { .. })),
        "{heard:?}"
    );
    assert_eq!(me(app, browser).await, StatusCode::OK);
    let refresh = browser.send(post_from("/auth/refresh-access", None));
    let refreshed = app.send(refresh).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    browser.take(&refreshed);
    assert_eq!(me(app, browser).await, StatusCode::OK);
}

fn one_device(on_limit: OnLimit) -> Settings {
    let mut settings = settings();
    settings.session.device_limit = Some(1);
    settings.session.on_limit = on_limit;
    settings
}

#[tokio::test]
async fn r98_a_sign_in_that_the_store_cannot_open_leaves_the_former_session() {
    let store = OtherStore::new();
    let app = App::on(store.clone(), settings()).await;
    let (mut browser, _) = signed_in(&app).await;
    for email in [ADA, GRACE] {
        _ = app.heard();
        store.on_each(|name| match name {
            "open_session" => Act::Fail,
            _ => Act::Run,
        });
        let answer = sign_in(&app, &browser, email).await;
        answer.assert_problem(503, "unavailable");
        store.behave();
        assert_untouched(&app, &mut browser, &answer).await;
    }
    let former = browser.clone();
    assert_eq!(sign_in(&app, &browser, ADA).await.status, StatusCode::OK);
    assert_eq!(me(&app, &former).await, StatusCode::UNAUTHORIZED);
}

/// The store fails after it has ended the former session, in the same transaction.
#[tokio::test]
async fn r98_a_store_that_fails_half_way_leaves_the_former_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let app = App::on(SqliteStore::open(&file).await.unwrap(), settings()).await;
    let (mut browser, _) = signed_in(&app).await;
    _ = app.heard();
    let change = |sql: &str| {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    change(
        "CREATE TRIGGER full BEFORE INSERT ON tg_session
         BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    let answer = sign_in(&app, &browser, ADA).await;
    answer.assert_problem(503, "unavailable");
    change("DROP TRIGGER full");
    assert_untouched(&app, &mut browser, &answer).await;
}

#[tokio::test]
async fn r98_a_sign_in_of_a_user_who_goes_on_changing_leaves_the_former_session() {
    let app = App::with(settings()).await;
    let (mut browser, _) = signed_in(&app).await;
    app.wait(60);
    let (gate, grace) = (app.gate.clone(), app.accounts.id_of(GRACE));
    app.accounts.in_authenticate.set(move || {
        let gate = gate.clone();
        async move {
            gate.revoke(Revoke::access_of(grace)).await.unwrap();
        }
    });
    let answer = sign_in(&app, &browser, GRACE).await;
    answer.assert_problem(503, "unavailable");
    app.accounts.in_authenticate.clear();
    let ended = |kind: &EventKind| match kind {
        EventKind::Revoked { target, .. } => *target == RevokedTarget::Session,
        _ => false,
    };
    assert!(!app.heard_kinds().iter().any(ended));
    assert_untouched(&app, &mut browser, &answer).await;
}

#[tokio::test]
async fn r98_a_sign_in_that_the_limit_refuses_leaves_the_former_session() {
    let app = App::with(one_device(OnLimit::Deny)).await;
    let elsewhere = sign_in(&app, &Jar::default(), GRACE).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
    let (mut browser, _) = signed_in(&app).await;
    _ = app.heard();
    let answer = sign_in(&app, &browser, GRACE).await;
    answer.assert_problem(403, "forbidden");
    assert_untouched(&app, &mut browser, &answer).await;
}

/// The same user signs in again: the former session ends at once, on this node, and is reported
/// once, also where it would have been evicted.
#[tokio::test]
async fn r98_the_former_session_ends_with_the_sign_in_that_replaces_it() {
    for on_limit in [OnLimit::Deny, OnLimit::EvictOldest] {
        let app = App::with(one_device(on_limit)).await;
        let (mut browser, _) = signed_in(&app).await;
        let former = browser.clone();
        _ = app.heard();
        let answer = sign_in(&app, &browser, ADA).await;
        assert_eq!(answer.status, StatusCode::OK, "{on_limit:?}");
        browser.take(&answer);
        assert_eq!(me(&app, &browser).await, StatusCode::OK);
        assert_eq!(me(&app, &former).await, StatusCode::UNAUTHORIZED);
        let refresh = former.send(post_from("/auth/refresh-access", None));
        assert_eq!(app.send(refresh).await.status, StatusCode::UNAUTHORIZED);
        let ended: Vec<_> = app
            .heard_kinds()
            .into_iter()
            .filter_map(|kind| match kind {
                EventKind::Revoked {
                    target,
                    sessions,
                    reason,
                } => Some((target, sessions, reason)),
                _ => None,
            })
            .collect();
        assert_eq!(ended, [(RevokedTarget::Session, 1, "sign_out")]);
        assert_eq!(
            app.gate
                .sessions()
                .of(app.accounts.id_of(ADA))
                .await
                .unwrap()
                .len(),
            1
        );
        assert!(browser.has(REFRESH));
    }
}
