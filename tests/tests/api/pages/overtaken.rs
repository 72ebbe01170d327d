//! A renewal in place whose session ends before its answer leaves: its cookies are not set.

use http::{Method, StatusCode};
use tollgate_tests::App;

use super::{app, expired, fetch, form, login_form, open, send, sets};
use crate::cookies::{ACCESS, Jar, REFRESH};

/// Sends a slow request, and another one in a second tab one second later, which is answered before.
/// Returns what the browser keeps of both.
async fn overtake(app: &App, second: fn() -> http::Request<axum::body::Body>) -> Jar {
    let jar = expired(app).await;
    let (tab, before) = (app.clone(), jar.clone());
    let (sender, mut kept) = tokio::sync::mpsc::unbounded_channel();
    app.accounts.in_authenticate.set(move || {
        let (app, mut jar, sender) = (tab.clone(), before.clone(), sender.clone());
        async move {
            app.accounts.in_authenticate.clear();
            app.wait(1);
            let answer = send(&app, &mut jar, second()).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            app.wait(3);
            sender.send(jar).unwrap();
        }
    });
    let slow = app.send(jar.send(fetch(Method::GET, "/slow"))).await;
    assert_eq!(slow.text, "ada@example.com");
    assert!(!sets(&slow, ACCESS) && !sets(&slow, REFRESH), "{slow:?}");
    let mut jar = kept.recv().await.unwrap();
    jar.take(&slow);
    jar
}

#[tokio::test]
async fn a_renewal_does_not_overwrite_the_cookies_of_a_later_sign_in() {
    let app = app().await;
    let mut jar = overtake(&app, || login_form("/")).await;
    for wait in [1, 60, 700, 3600] {
        app.wait(wait);
        assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    }
}

#[tokio::test]
async fn a_renewal_does_not_bring_back_the_cookies_of_a_session_that_was_signed_out() {
    let app = app().await;
    let jar = overtake(&app, || form("/logout", &[])).await;
    assert!(!jar.has(ACCESS) && !jar.has(REFRESH));
}
