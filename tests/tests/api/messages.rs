//! Problems in the language of their reader: titles and details change, codes never do.

use axum::Router;
use axum::routing::get;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tollgate::error::{Code, Messages, Text};
use tollgate::extract::Auth;
use tollgate::reject::Rejection;
use tollgate_tests::{Accounts, Answer, App, PASSWORD, User, request};

async fn app() -> App<Accounts> {
    let messages = Messages::new().german().language("tlh", |text| match text {
        Text::Title(Code::MissingToken) => Some("pagh".into()),
        _ => None,
    });
    App::builder()
        .change(move |gate| gate.messages(messages))
        .build()
        .await
}

async fn asked(app: &App, mut request: Request<axum::body::Body>, language: &str) -> Answer {
    if !language.is_empty() {
        let value = language.parse().unwrap();
        request.headers_mut().insert("accept-language", value);
    }
    app.send(request).await
}

fn sign_in(email: &str, password: &str) -> Request<axum::body::Body> {
    let body = json!({ "email": email, "password": password });
    request(Method::POST, "/auth/signin", None, Some(body))
}

#[tokio::test]
async fn a_title_is_told_in_the_language_that_is_asked_for() {
    let app = app().await;
    let plain = || request(Method::GET, "/me", Some("none"), None);
    for (language, tag, title) in [
        ("", "en", "the token is not valid"),
        ("en-GB", "en", "the token is not valid"),
        ("da, *", "en", "the token is not valid"),
        ("de-AT, en;q=0.8", "de", "das Token ist nicht gültig"),
        // A language without this text tells it in English.
        ("tlh", "tlh", "the token is not valid"),
    ] {
        let answer = asked(&app, plain(), language).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["code"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_token"))
        );
        assert_eq!(problem["type"], "urn:tollgate:problem:invalid_token");
        assert_eq!(problem["title"], title, "{language}");
        assert_eq!(answer.headers["content-language"], tag, "{language}");
        assert_eq!(answer.headers["vary"], "accept-language");
        assert_eq!(
            answer.headers["content-length"],
            *answer.text.len().to_string()
        );
        assert_eq!(
            answer.headers["www-authenticate"],
            "Bearer error=\"invalid_token\""
        );
    }
    let missing = asked(&app, request(Method::GET, "/me", None, None), "tlh").await;
    assert_eq!(missing.json()["title"], "pagh");
    let tokens = app.sign_in("ada@example.com").await;
    let good = asked(
        &app,
        request(Method::GET, "/me", Some(&tokens.access), None),
        "de",
    )
    .await;
    assert!(
        good.headers.get("vary").is_none() && good.status == 200,
        "{good:?}"
    );
    for bad in ["de;q=2", ";;;,"] {
        let answer = asked(&app, plain(), bad).await;
        assert_eq!(answer.headers["content-language"], "en", "{bad}");
    }
}

#[tokio::test]
async fn a_detail_is_told_in_german_too() {
    let app = app().await;
    let body = json!({ "password": PASSWORD });
    let answer = asked(
        &app,
        request(Method::POST, "/auth/signin", None, Some(body)),
        "de",
    )
    .await;
    let problem = answer.json();
    assert_eq!(
        (&problem["code"], &problem["detail"]),
        (&json!("invalid_request"), &json!("`email` fehlt"))
    );
    assert_eq!(problem["title"], "die Anfrage ist fehlerhaft");
}

/// R47: every refused sign-in has the same bytes, in each language.
#[tokio::test]
async fn unknown_wrong_and_disabled_are_the_same_bytes_in_each_language() {
    let app = app().await;
    app.accounts.set_disabled("grace@example.com", true);
    for language in ["", "en", "de", "tlh"] {
        let unknown = asked(&app, sign_in("nobody@example.com", PASSWORD), language).await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
        for (email, password) in [
            ("ada@example.com", "wrong"),
            ("grace@example.com", PASSWORD),
        ] {
            let other = asked(&app, sign_in(email, password), language).await;
            assert_eq!(other, unknown, "{email} {language}");
        }
    }
}

/// Refusals of the application's own handlers are told too, their members kept.
#[tokio::test]
async fn a_handler_of_the_application_is_told_in_german() {
    async fn teapot(_: Auth<User>) -> Rejection {
        Rejection::from(Code::Forbidden).with("tea", "Earl Grey")
    }
    let plain = app().await;
    let router = Router::new()
        .route("/tea", get(teapot))
        .route("/own", get(async || (StatusCode::FORBIDDEN, "own")));
    let router = plain.gate.install(router).with_state(plain.gate.clone());
    let app = plain.serving(router);
    let tokens = app.sign_in("ada@example.com").await;
    let tea = || request(Method::GET, "/tea", Some(&tokens.access), None);
    let problem = asked(&app, tea(), "de").await.json();
    assert_eq!(problem["title"], "das ist für den Aufrufer nicht erlaubt");
    assert_eq!(
        (&problem["tea"], &problem["code"]),
        (&json!("Earl Grey"), &json!("forbidden"))
    );
    let own = asked(&app, request(Method::GET, "/own", None, None), "de").await;
    assert_eq!(own.text, "own");
    assert!(own.headers.get("vary").is_none());
}

#[tokio::test]
async fn without_languages_nothing_changes() {
    let app = App::new().await;
    let answer = asked(&app, request(Method::GET, "/me", Some("none"), None), "de").await;
    assert_eq!(answer.json()["title"], "the token is not valid");
    assert!(answer.headers.get("vary").is_none());
    assert!(answer.headers.get("content-language").is_none());
}
