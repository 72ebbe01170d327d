//! Swagger UI: where it is, that it loads nothing from elsewhere, and that it makes way.

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use tollgate::settings::Settings;
use tollgate_tests::{Answer, App, request};

const PAGE: &str = "/docs/swagger";

async fn fetched(app: &App, path: &str) -> Answer {
    app.send(request(Method::GET, path, None, None)).await
}

/// Returns where a relative reference of a page leads.
fn resolved(page: &str, reference: &str) -> String {
    let mut folder: Vec<&str> = page.split('/').collect();
    folder.pop();
    for part in reference.split('/') {
        match part {
            ".." => _ = folder.pop(),
            part => folder.push(part),
        }
    }
    folder.join("/")
}

/// Returns the references of a page to its files.
fn references(html: &str) -> Vec<String> {
    let parts = html.split(['"', '\'']).collect::<Vec<_>>();
    let is_reference = |before: &str| before.ends_with("src=") || before.ends_with("href=");
    parts
        .windows(2)
        .filter(|pair| is_reference(pair[0]) && !pair[1].starts_with("data:"))
        .map(|pair| pair[1].to_owned())
        .collect()
}

/// Follows the page to its files and to the document.
async fn assert_works(app: &App, page: &str, document: &str) {
    let html = fetched(app, page).await;
    assert_eq!(html.headers["content-type"], "text/html; charset=utf-8");
    let files = references(&html.text);
    assert_eq!(files.len(), 3, "{}", html.text);
    let mut start = String::new();
    for file in files {
        let answer = fetched(app, &resolved(page, &file)).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        if file.ends_with("start.js") {
            start = answer.text;
        }
    }
    let (_, url) = start.split_once("url: \"").unwrap();
    let url = url.split('"').next().unwrap();
    assert_eq!(resolved(page, url), document);
    assert_eq!(fetched(app, document).await.status, StatusCode::OK);
    let slash = fetched(app, &format!("{page}/")).await;
    assert_eq!(slash.status, StatusCode::PERMANENT_REDIRECT);
    let location = slash.headers["location"].to_str().unwrap();
    assert_eq!(resolved(&format!("{page}/"), location), page);
}

#[tokio::test]
async fn swagger_ui_is_beside_the_document() {
    assert_works(&App::new().await, PAGE, "/openapi.json").await;
}

#[tokio::test]
async fn swagger_ui_and_the_document_may_be_elsewhere_and_below_a_prefix() {
    for (page, document) in [
        ("/swagger", "/openapi.json"),
        ("/a/b/c/ui", "/a/b/api.json"),
        (PAGE, "/docs/openapi.json"),
    ] {
        let mut settings = Settings::default();
        settings.openapi.swagger_ui = page.to_owned();
        settings.openapi.path = document.to_owned();
        let app = App::with(settings).await;
        assert_works(&app, page, document).await;
        let nested = Router::new().nest("/v1", app.gate.install(Router::new()));
        let nested = app.serving(nested);
        assert_works(&nested, &format!("/v1{page}"), &format!("/v1{document}")).await;
    }
}

/// An application with a strict policy of its own can show the page, and the page brings one.
#[tokio::test]
async fn the_page_has_no_inline_script_and_loads_nothing_from_elsewhere() {
    let app = App::new().await;
    let html = fetched(&app, PAGE).await;
    for script in html.text.split("<script").skip(1) {
        assert!(script.contains("src=") && script.contains("></script>"));
    }
    assert!(!html.text.contains("<style") && !html.text.contains("://"));
    let policy = html.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("://"),
        "{policy}"
    );
    let start = fetched(&app, "/docs/swagger/start.js").await.text;
    assert!(start.contains("validatorUrl: null"), "{start}");
}

#[tokio::test]
async fn there_is_no_page_where_it_is_off_or_there_is_no_document() {
    for (page, document) in [("", "/openapi.json"), (PAGE, "")] {
        let mut settings = Settings::default();
        settings.openapi.swagger_ui = page.to_owned();
        settings.openapi.path = document.to_owned();
        let app = App::with(settings).await;
        assert_eq!(fetched(&app, PAGE).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_route_of_the_application_stays_where_the_page_would_be() {
    let app = App::new().await;
    for path in [PAGE, "/docs/swagger/swagger-ui.css"] {
        let own = Router::new().route(path, get(async || "mine"));
        let own = app.serving(app.gate.install(own));
        assert_eq!(fetched(&own, path).await.text, "mine");
        assert_eq!(fetched(&own, "/openapi.json").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn another_method_of_the_page_is_refused_as_a_problem() {
    let app = App::new().await;
    let answer = app.send(request(Method::POST, PAGE, None, None)).await;
    answer.assert_problem(405, "method_not_allowed");
}

#[test]
fn a_path_at_which_the_page_cannot_be_is_refused_at_the_start() {
    for (page, document) in [
        ("docs", "/openapi.json"),
        ("/docs/", "/openapi.json"),
        ("/{page}", "/openapi.json"),
        ("/docs", "/docs"),
        ("/docs", "/docs/openapi.json"),
    ] {
        let mut settings = Settings::default();
        settings.issuer = Some("https://accounts.example.com".to_owned());
        settings.audience = Some("x".to_owned());
        assert!(settings.validate().is_ok());
        settings.openapi.swagger_ui = page.to_owned();
        settings.openapi.path = document.to_owned();
        let error = settings.validate().unwrap_err().to_string();
        assert!(error.contains("`openapi.swagger_ui`"), "{error}");
    }
}
