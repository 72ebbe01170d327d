//! A real browser: what it keeps, what it sends by itself, and what the pages of others can do with
//! that.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use http::HeaderMap;
use http::header::COOKIE;
use serde_json::json;
use tollgate_tests::serve::Server;
use tollgate_tests::support::browser::Browser;

/// Serves the example at `localhost`, with a route at `/auth/seen` and one at `/seen` that answer
/// the names of the cookies that came.
async fn served() -> (Server, String) {
    async fn seen(headers: HeaderMap) -> String {
        let line = headers
            .get(COOKIE)
            .map(|line| line.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let mut names: Vec<&str> = line
            .split("; ")
            .filter_map(|pair| pair.split('=').next())
            .collect();
        names.sort_unstable();
        names.join(" ")
    }
    let app = cookies_browser::app("http://localhost").await.unwrap();
    let server = Server::start(app.route("/seen", get(seen)).route("/auth/seen", get(seen))).await;
    let origin = format!("http://localhost:{}", server.address.port());
    (server, origin)
}

/// A page of somebody else with a form for `action`, which it sends by itself.
async fn attacker(action: &str, name: &str, value: &str) -> Server {
    let page = format!(
        "<!doctype html><form method=post enctype=text/plain action='{action}'><input \
         name='{name}' value='{value}'></form><script>document.forms[0].submit()</script>"
    );
    let quiet = "<!doctype html><p>nothing";
    Server::start(
        Router::new()
            .route("/", get(|| async { Html(page) }))
            .route("/quiet", get(move || async move { Html(quiet) })),
    )
    .await
}

const SIGN_IN: &str = "const answer = await fetch('/auth/signin', { method: 'POST', headers: { \
                       'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' }) \
                       });";

/// R107, R108: sign in, a request of the same site, and those of other sites and origins, which are
/// refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_keeps_the_cookies_and_other_sites_cannot_use_them() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    browser.open(&origin).await;

    let sign_in = format!(
        "{SIGN_IN} return [answer.status, Object.keys(await answer.json()), document.cookie];"
    );
    assert_eq!(
        browser.run(&sign_in).await,
        json!([200, ["expires_in", "refresh_expires_in", "session_id"], ""])
    );
    let seen =
        "return [await (await fetch('/seen')).text(), await (await fetch('/auth/seen')).text()];";
    let all = "__Host-tollgate-access __Host-tollgate-device __Host-tollgate-refresh";
    assert_eq!(browser.run(seen).await, json!([all, all]));
    let write = |text: &str| {
        format!("return (await fetch('/note', {{ method: 'POST', body: '{text}' }})).status;")
    };
    assert_eq!(browser.run(&write("mine")).await, 204);
    assert_eq!(
        browser
            .run("return (await fetch('/auth/refresh-access', { method: 'POST' })).status;")
            .await,
        200
    );

    // The same site (`localhost`), another origin: the cookies travel, and the gate refuses.
    let sibling = attacker(&format!("{origin}/note"), "stolen", "note").await;
    browser
        .open(&format!("http://localhost:{}/", sibling.address.port()))
        .await;
    browser
        .wait_for("document.body.innerText.includes('\"code\"')")
        .await;
    assert_eq!(
        browser
            .run("return [location.pathname, JSON.parse(document.body.innerText).code];")
            .await,
        json!(["/note", "csrf"])
    );
    browser
        .open(&format!(
            "http://localhost:{}/quiet",
            sibling.address.port()
        ))
        .await;
    let silent = format!(
        "await fetch('{origin}/note', {{ method: 'POST', mode: 'no-cors', credentials: 'include', \
         body: 'x' }});"
    );
    browser.run(&silent).await;

    // Another site: the browser itself keeps the cookies back.
    let stranger = attacker(&format!("{origin}/note"), "stolen", "note").await;
    browser
        .open(&format!("http://127.0.0.1:{}/", stranger.address.port()))
        .await;
    browser
        .wait_for("document.body.innerText.includes('\"code\"')")
        .await;
    assert_eq!(
        browser
            .run("return JSON.parse(document.body.innerText).code;")
            .await,
        "missing_token"
    );
    browser.open(&origin).await;
    assert_eq!(
        browser
            .run("return await (await fetch('/note')).text();")
            .await,
        "mine"
    );

    // Login CSRF: JSON in a form of plain text, the classic.
    let login = r#"{"email":"ada@example.com","password":"correct horse battery staple","x":""#;
    let login_csrf = attacker(&format!("{origin}/auth/signin"), login, "\"}").await;
    browser
        .open(&format!("http://127.0.0.1:{}/", login_csrf.address.port()))
        .await;
    browser
        .wait_for("document.body.innerText.includes('\"code\"')")
        .await;
    assert_eq!(
        browser
            .run("return JSON.parse(document.body.innerText).code;")
            .await,
        "csrf"
    );

    // Out, from the same page, and the cookies of the session are gone.
    browser.open(&origin).await;
    let out = "return [(await fetch('/auth/signout', { method: 'POST' })).status, await (await \
               fetch('/auth/seen')).text()];";
    assert_eq!(
        browser.run(out).await,
        json!([204, "__Host-tollgate-device"])
    );
    assert_eq!(
        browser.run("return (await fetch('/me')).status;").await,
        401
    );
}

/// The example's page, as a person uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_example_works() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    browser.open(&origin).await;
    let state = |text: &str| format!("document.getElementById('state').textContent === '{text}'");
    browser.wait_for(&state("signed out")).await;
    let sign_in = "document.forms.signin.password.value = 'correct horse battery staple'; \
                   document.forms.signin.requestSubmit();";
    browser.run(sign_in).await;
    browser.wait_for(&state("ada@example.com: ")).await;
    browser
        .run("document.forms.change.note.value = 'hello'; document.forms.change.requestSubmit();")
        .await;
    browser.wait_for(&state("ada@example.com: hello")).await;
    browser.open(&origin).await;
    browser.wait_for(&state("ada@example.com: hello")).await;
    browser
        .run("document.getElementById('signout').click();")
        .await;
    browser.wait_for(&state("signed out")).await;
}
