//! A real browser: what it keeps, what it sends by itself, and what the pages of others can do with
//! that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse as _};
use axum::routing::get;
use axum::{Json, Router};
use http::header::COOKIE;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tollgate::settings::Settings;
use tollgate_tests::serve::Server;
use tollgate_tests::support::browser::Browser;

/// Serves the example at `localhost`, with a route at `/auth/seen` and one at `/seen` that answer
/// the names of the cookies that came.
async fn served() -> (Server, String) {
    let (server, origin, _) = served_with_letters().await;
    (server, origin)
}

/// The codes of the letters that the example sent.
type Letters = Arc<Mutex<Vec<String>>>;

/// The same, with the letters that are sent.
async fn served_with_letters() -> (Server, String, Letters) {
    let (app, letters) = example(Settings::default()).await;
    let server = Server::start(app).await;
    let origin = origin_of(&server);
    (server, origin, letters)
}

/// Returns what stands in the address bar.
fn origin_of(server: &Server) -> String {
    format!("http://localhost:{}", server.address.port())
}

/// Returns the example with settings, and the letters that it sends.
async fn example(settings: Settings) -> (Router, Letters) {
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
    let letters = Letters::default();
    let sent = Arc::clone(&letters);
    let mail = move |_: &str, code: &str| sent.lock().unwrap().push(code.to_owned());
    let app = cookies_browser::app_with(settings, "http://localhost", Arc::new(mail))
        .await
        .unwrap();
    let app = app.route("/seen", get(seen)).route("/auth/seen", get(seen));
    (app, letters)
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
    browser.wait_for(&state("signed out")).await;
    let sign_in = "document.forms.signin.password.value = 'correct horse battery staple'; \
                   document.forms.signin.requestSubmit();";
    browser.run(sign_in).await;
    browser.wait_for(&state("ada@example.com")).await;
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

/// Fills in the form of the example, and sends it.
fn sign_in_as(email: &str, password: &str, device: &str) -> String {
    format!(
        "const form = document.forms.signin; form.email.value = '{email}'; form.password.value = \
         '{password}'; form.device_name.value = '{device}'; form.requestSubmit();"
    )
}

const PASSWORD: &str = "correct horse battery staple";

/// What a person reads where something is wrong, and how they go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_is_wrong_and_takes_a_second_factor() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin, letters) = served_with_letters().await;
    browser.open(&origin).await;
    browser.wait_for(&shown("signin")).await;
    browser.pictures("cookies-sign-in").await;
    browser
        .run(&sign_in_as("grace@example.com", "wrong", ""))
        .await;
    browser
        .wait_for(&error("That is not right. Try again."))
        .await;
    browser
        .run(&sign_in_as("grace@example.com", PASSWORD, "a tablet"))
        .await;
    browser.wait_for(&shown("step")).await;
    browser.pictures("cookies-step").await;
    assert_eq!(browser.run("return document.cookie;").await, "");
    let answer = |code: &str| {
        format!("document.forms.step.code.value = '{code}'; document.forms.step.requestSubmit();")
    };
    browser.run(&answer("no code")).await;
    browser
        .wait_for(&error("That is not right. Try again."))
        .await;
    let code = letters.lock().unwrap().last().unwrap().clone();
    browser.run(&answer(&code)).await;
    browser.wait_for(&shown("inside")).await;
    assert_eq!(letters.lock().unwrap().len(), 1);
}

/// Saves a note.
fn save(text: &str) -> String {
    format!("document.forms.change.note.value = '{text}'; document.forms.change.requestSubmit();")
}

/// A part of the page is shown.
fn shown(id: &str) -> String {
    format!("!document.getElementById('{id}').hidden")
}

/// What the page says is wrong.
fn error(text: &str) -> String {
    format!("document.getElementById('error').textContent === '{text}'")
}

/// What the page says of the one who is signed in.
fn state(text: &str) -> String {
    format!("document.getElementById('state').textContent === '{text}'")
}

/// Opens the page of the example, and signs Ada in.
async fn signed_in(browser: &Browser, origin: &str) {
    browser.open(origin).await;
    browser.wait_for(&shown("signin")).await;
    browser
        .run(&sign_in_as("ada@example.com", PASSWORD, "a notebook"))
        .await;
    browser.wait_for(&shown("inside")).await;
}

/// A server that cannot be reached or cannot decide is said; when it is there again, the next click
/// goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_that_the_server_is_down_and_recovers() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    // While this is set, the routes of the application are unavailable.
    let is_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let (app, _) = example(Settings::default()).await;
    let app = app.layer(from_fn(move |request: Request, next: Next| {
        let is_page = ["/", "/page.js", "/page.css"].contains(&request.uri().path());
        let is_down = down.load(Ordering::SeqCst) && !is_page;
        async move {
            if is_down {
                let problem = json!({ "code": "unavailable", "status": 503 });
                return (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response();
            }
            next.run(request).await
        }
    }));
    let server = Server::start(app.clone()).await;
    let (origin, address) = (origin_of(&server), server.address);
    signed_in(&browser, &origin).await;

    drop(server);
    browser.run(&save("one")).await;
    browser
        .wait_for(&error("The server cannot be reached. Try again."))
        .await;
    browser.pictures("cookies-down").await;
    browser.wait_for(&shown("inside")).await;
    let _server = Server::start_at(app, address).await;
    browser.run(&save("two")).await;
    browser.wait_for(&state("ada@example.com: two")).await;
    browser
        .wait_for("document.getElementById('error').hidden")
        .await;

    // The page itself comes, and nothing else: there is a button.
    is_down.store(true, Ordering::SeqCst);
    browser.open(&origin).await;
    browser.wait_for(&shown("again")).await;
    browser
        .wait_for(&error("The server cannot decide at the moment. Try again."))
        .await;
    browser.pictures("cookies-unavailable").await;
    browser.click("#again").await;
    browser
        .wait_for(&error("The server cannot decide at the moment. Try again."))
        .await;
    // An access cookie that is gone does not sign out while nobody can say.
    browser.drop_cookie("__Host-tollgate-access").await;
    is_down.store(false, Ordering::SeqCst);
    browser.click("#again").await;
    browser.wait_for(&state("ada@example.com: two")).await;
    browser.wait_for(&format!("!({})", shown("again"))).await;
}

/// A device without a network is said, and goes on by itself when the network is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_that_it_is_offline_and_recovers_by_itself() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    signed_in(&browser, &origin).await;
    browser.set_offline(true).await;
    browser.run(&save("one")).await;
    browser
        .wait_for(&error("This device is offline. Connect it, and try again."))
        .await;
    browser.set_offline(false).await;
    browser
        .wait_for("document.getElementById('error').hidden")
        .await;
    browser.run(&save("two")).await;
    browser.wait_for(&state("ada@example.com: two")).await;
}

/// A session that ended elsewhere: the next click says so, and offers the sign-in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_that_the_session_has_ended() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    signed_in(&browser, &origin).await;
    // Another device ends all sessions, without the cookies of this one.
    let elsewhere = "const json = { 'content-type': 'application/json' };
        const answer = await fetch('/auth/signin', { method: 'POST', credentials: 'omit', headers: json,
            body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple',                      transport: 'body' }) });
        const { access_token } = await answer.json();
        return (await fetch('/auth/signout-all', { method: 'POST', credentials: 'omit',
            headers: { authorization: `Bearer ${access_token}` } })).status;";
    assert_eq!(browser.run(elsewhere).await, 204);
    browser.run(&save("one")).await;
    browser
        .wait_for(&error("Your session has ended. Sign in again."))
        .await;
    browser.wait_for(&shown("signin")).await;
    browser.wait_for(&state("signed out")).await;
    browser.pictures("cookies-ended").await;
    browser
        .run(&sign_in_as("ada@example.com", PASSWORD, ""))
        .await;
    browser.wait_for(&state("ada@example.com")).await;
    // A sign-out of one's own is no news.
    browser.click("#signout").await;
    browser.wait_for(&state("signed out")).await;
    assert_eq!(
        browser
            .run("return document.getElementById('error').hidden;")
            .await,
        true
    );
}

/// The access cookie is renewed before its time is out, without a click; and where it is gone, by the
/// click that misses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_renews_the_access_cookie_silently() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut settings = Settings::default();
    settings.access.ttl = Duration::from_secs(2);
    settings.leeway = Duration::from_secs(1);
    let (app, _) = example(settings).await;
    let server = Server::start(app).await;
    signed_in(&browser, &origin_of(&server)).await;
    browser
        .wait_for("Number(document.getElementById('renewed').value) >= 2")
        .await;
    browser.run(&save("one")).await;
    browser.wait_for(&state("ada@example.com: one")).await;
    drop(server);

    // Access tokens of ten minutes: no timer renews them within this test.
    let (_server, origin) = served().await;
    signed_in(&browser, &origin).await;
    browser.drop_cookie("__Host-tollgate-access").await;
    browser.run(&save("two")).await;
    browser.wait_for(&state("ada@example.com: two")).await;
    assert_eq!(
        browser
            .run("return [document.getElementById('renewed').value, document.cookie];")
            .await,
        json!(["1", ""])
    );
}

/// The devices of a person: this one is marked, and another one is ended from here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_lists_devices_and_ends_one_or_all() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    browser.open(&origin).await;
    // Another device signs in elsewhere: without the cookies of this browser, which would replace
    // its session.
    let elsewhere = "return (await fetch('/auth/signin', { method: 'POST', credentials: 'omit', headers: { \
                     'content-type': 'application/json' }, body: JSON.stringify({ email: \
                     'ada@example.com', password: 'correct horse battery staple', device_name: \
                     'a telephone', transport: 'body' }) })).status;";
    assert_eq!(browser.run(elsewhere).await, 200);
    browser
        .run(&sign_in_as("ada@example.com", PASSWORD, "a notebook"))
        .await;
    let devices = "[...document.querySelectorAll('#devices li')]";
    browser.wait_for(&format!("{devices}.length === 2")).await;
    let marked = format!(
        "return {devices}.map((line) => [line.textContent.includes('a notebook'), \
         line.querySelector('.here') !== null]);"
    );
    assert_eq!(
        browser.run(&marked).await,
        json!([[false, false], [true, true]])
    );
    browser.pictures("cookies-devices").await;
    browser
        .run(&format!("{devices}[0].querySelector('button').click();"))
        .await;
    browser.wait_for(&format!("{devices}.length === 1")).await;
    browser
        .run("document.getElementById('everywhere').click();")
        .await;
    browser
        .wait_for("document.getElementById('state').textContent === 'signed out'")
        .await;
    assert_eq!(
        browser
            .run("return (await fetch('/auth/refresh-access', { method: 'POST' })).status;")
            .await,
        401
    );
}

/// Two tabs that renew at the same moment, again and again: none is signed out. Once all of them
/// wait for each other, and once none does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_race_for_a_renewal_stay_signed_in() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let rounds = std::env::var("TAB_RACES").unwrap_or_else(|_| "10".to_owned());
    let (_server, origin) = served().await;
    browser.open(&origin).await;
    browser
        .run(&sign_in_as("ada@example.com", PASSWORD, ""))
        .await;
    browser
        .wait_for("!document.getElementById('inside').hidden")
        .await;
    browser
        .run("window.other = window.open(location.href);")
        .await;
    browser
        .wait_for("other.renewNow && !other.document.getElementById('inside').hidden")
        .await;
    let race = format!(
        "const found = []; for (let round = 0; round < {rounds}; round += 1) {{
            const both = await Promise.all([renewNow(), other.renewNow()]);
            const me = await Promise.all([fetch('/me'), other.fetch('/me')]);
            found.push(both.every(Boolean) && me.every((answer) => answer.ok));
        }} return found.filter(Boolean).length;"
    );
    let expected: u64 = rounds.parse().unwrap();
    assert_eq!(browser.run(&race).await, json!(expected));
}

/// Swagger UI shows the document and signs in by its own form, under the policy that it brings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swagger_ui_signs_in_by_try_it_out() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let (_server, origin) = served().await;
    // The page links to it.
    browser.open(&origin).await;
    browser.click("nav a").await;
    assert_eq!(browser.address().await, format!("{origin}/docs/swagger"));
    let operation = "document.getElementById('operations-auth-signin')";
    browser.wait_for(&format!("{operation} !== null")).await;
    browser
        .run(&format!(
            "{operation}.querySelector('.opblock-summary-control').click();"
        ))
        .await;
    browser
        .wait_for(&format!(
            "{operation}.querySelector('.try-out__btn') !== null"
        ))
        .await;
    browser
        .run(&format!(
            "{operation}.querySelector('.try-out__btn').click();"
        ))
        .await;
    browser
        .wait_for(&format!("{operation}.querySelector('.execute') !== null"))
        .await;
    // The example of the document is a login that counts.
    browser
        .run(&format!("{operation}.querySelector('.execute').click();"))
        .await;
    browser
        .wait_for(&format!(
            "{operation}.querySelector('.live-responses-table tbody .response-col_status')?.textContent.\
             startsWith('200')"
        ))
        .await;
    browser.pictures("swagger-ui").await;
    browser.pictures("swagger-ui").await;
    assert_eq!(
        browser.run("return (await fetch('/me')).status;").await,
        200
    );
}
