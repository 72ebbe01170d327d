//! Swagger UI beside the document: a page and its files, which are compiled into the program.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, StatusCode};

use crate::error::Code;

use super::super::problem::Rejection;

/// Returns the paths of the page and of its files.
pub(in crate::http) fn paths(page: &str) -> [String; 5] {
    [
        page.to_owned(),
        format!("{page}/"),
        format!("{page}/{SCRIPT}"),
        format!("{page}/{STYLE}"),
        format!("{page}/{START}"),
    ]
}

/// Serves the page at a path, for the document at another one. All its references are relative, so
/// that it works below a prefix of a router or a proxy.
pub(in crate::http) fn serve(page: &str, document: &str, title: &str, scheme: &Arc<str>) -> Router {
    let name = page.rsplit('/').next().unwrap_or_default();
    let up = "../".repeat(page.matches('/').count().saturating_sub(1));
    let document = format!("{up}{}", document.trim_start_matches('/'));
    let html = PAGE
        .replace("{name}", name)
        .replace("{title}", &escaped(title));
    let [at, slash, script, style, start] = paths(page);
    let back = (
        StatusCode::PERMANENT_REDIRECT,
        [(LOCATION, format!("../{name}"))],
    );
    let scheme = Arc::clone(scheme);
    let not_allowed = move || ready(Rejection::new(Code::MethodNotAllowed, &scheme));
    Router::new()
        .route(&at, fixed("text/html; charset=utf-8", NO_CACHE, html))
        .route(&slash, get(move || ready(back.clone())))
        .route(&script, fixed(JAVASCRIPT, A_DAY, SCRIPT_TEXT))
        .route(&style, fixed("text/css; charset=utf-8", A_DAY, STYLE_TEXT))
        .route(
            &start,
            fixed(
                JAVASCRIPT,
                NO_CACHE,
                START_TEXT.replace("{document}", &document),
            ),
        )
        .method_not_allowed_fallback(not_allowed)
}

/// Answers with a text that never changes.
fn fixed<T>(media: &'static str, cache: &'static str, text: T) -> MethodRouter<(), Infallible>
where
    T: IntoResponse + Clone + Send + Sync + 'static,
{
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, cache),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
    ];
    get(move || ready((headers.clone(), text.clone())))
}

/// Returns a text escaped for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

const SCRIPT: &str = "swagger-ui-bundle.js";
const STYLE: &str = "swagger-ui.css";
const START: &str = "start.js";
const SCRIPT_TEXT: &str = include_str!("swagger-ui-bundle.js");
const STYLE_TEXT: &str = include_str!("swagger-ui.css");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const NO_CACHE: &str = "no-cache";
const A_DAY: &str = "public, max-age=86400";

/// The resources that the page may load: its own files, and the pictures inside its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' \
                      data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{name}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{name}/swagger-ui-bundle.js"></script>
<script src="{name}/start.js"></script>
</body>
</html>
"#;

/// The start script. The member `validatorUrl` is empty, because the page would otherwise show the
/// document to a server of others.
const START_TEXT: &str = r##"SwaggerUIBundle({
  url: "{document}",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
"##;
