//! The pages of the example, called in process.

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, StatusCode};
use tempfile::TempDir;
use tollgate::prelude::*;
use tollgate_tests::{Answer, PASSWORD};
use tower::ServiceExt as _;

const FORM: &str = "application/x-www-form-urlencoded";

/// A person at a browser, whose cookies are kept.
struct Person {
    app: Router,
    folder: TempDir,
    cookies: Vec<(String, String)>,
}

impl Person {
    /// Signs grace in.
    async fn grace() -> Self {
        let folder = TempDir::new().unwrap();
        let app = ::pages::app(folder.path(), Settings::default()).await;
        let (app, _) = app.unwrap();
        let mut grace = Self {
            app,
            folder,
            cookies: Vec::new(),
        };
        let password = PASSWORD.replace(' ', "+");
        let login = format!("email=grace%40example.com&password={password}");
        let answer = grace.send("/login", FORM, login).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        grace
    }

    async fn open(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, Body::empty()).await
    }

    async fn send(&mut self, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        self.ask(Method::POST, path, Some(kind), body.into()).await
    }

    async fn ask(&mut self, method: Method, path: &str, kind: Option<&str>, body: Body) -> Answer {
        let cookies = self.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:3000")
            .header("accept", "text/html")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("referer", "http://localhost:3000/account")
            .header(COOKIE, cookies.join("; "));
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request.body(body).unwrap();
        let answer = Answer::of(self.app.clone().oneshot(request).await.unwrap()).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                let value = rest.split(';').next().unwrap();
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Changes the table of users.
    fn change(&self, change: &str) {
        let users = rusqlite::Connection::open(self.folder.path().join("app.db")).unwrap();
        assert_eq!(users.execute(change, ()).unwrap(), 1);
    }
}

fn location(answer: &Answer) -> &str {
    answer.headers[LOCATION].to_str().unwrap()
}

/// The secret of a page that shows a factor.
fn secret(answer: &Answer) -> String {
    let (_, rest) = answer.text.split_once("<code>").unwrap();
    rest.split_once("</code>").unwrap().0.to_owned()
}

/// The access token of a user who was deleted still verifies for some minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_was_deleted_ends_at_the_form_of_the_login_page() {
    let mut grace = Person::grace().await;
    grace.change("DELETE FROM users WHERE email = 'grace@example.com'");
    let answer = grace.open("/account").await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2Faccount");
    let login = location(&answer).to_owned();
    let answer = grace.open(&login).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.headers);
    assert!(
        answer.text.contains("Your session ended"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("name=\"password\""), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_who_is_signed_in_goes_on_from_the_login_page() {
    let mut grace = Person::grace().await;
    let answer = grace.open("/login?next=%2Fsessions").await;
    assert_eq!(location(&answer), "/sessions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_factor_is_proposed_once_however_often_its_page_is_shown() {
    let mut grace = Person::grace().await;
    let answer = grace.open("/account/factor").await;
    assert_eq!(location(&answer), "/account", "nothing was proposed");
    let answer = grace.send("/account/factor", FORM, "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(location(&answer), "/account/factor");
    let shown = grace.open("/account/factor").await;
    let proposed = secret(&shown);
    assert!(!shown.text.contains("That code is not right."));
    assert_eq!(secret(&grace.open("/account/factor").await), proposed);

    // No code has five digits.
    let answer = grace
        .send("/account/factor/confirm", FORM, "code=00000")
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(location(&answer), "/account/factor?wrong");
    let shown = grace.open("/account/factor?wrong").await;
    assert!(shown.text.contains("That code is not right."));
    assert_eq!(secret(&shown), proposed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_cannot_be_read_is_a_page() {
    let mut grace = Person::grace().await;
    let long = format!("code={}", "0".repeat(3 << 20));
    for (kind, body, status) in [
        ("text/plain", "code=1".to_owned(), 415),
        (FORM, "other=1".to_owned(), 422),
        (FORM, long, 413),
    ] {
        let answer = grace.send("/account/factor/confirm", kind, body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(answer.text.contains("Back to the notes"), "{status}");
    }
    // The page of the gate says more than this program knows.
    let request = Request::post("/login")
        .header("host", "localhost:3000")
        .header("accept", "text/html")
        .header("origin", "https://evil.example")
        .header(CONTENT_TYPE, FORM);
    let request = request.body(Body::from("email=a&password=b")).unwrap();
    let answer = Answer::of(grace.app.clone().oneshot(request).await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer.text.contains("This was not sent from our page"),
        "{}",
        answer.text
    );
}
