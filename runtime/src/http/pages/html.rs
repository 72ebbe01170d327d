//! The pages of the gate itself: for errors that no page of the application can show.

use axum::response::Response;
use http::StatusCode;

use crate::error::{Code, Refusal};

use super::answer::page;

/// Returns a refusal as a page. After a temporary failure the page reloads itself, if the request
/// was a `GET`.
pub(super) fn refused(refusal: &Refusal, is_get: bool) -> Response {
    let code = refusal.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry = refusal.retry_in();
    let (title, text) = match code {
        Code::Unavailable => (
            "One moment, please",
            "The page cannot be shown right now. Please try again in a moment.",
        ),
        Code::TooManyRequests => (
            "Too many attempts",
            "Please wait a while, and then try again.",
        ),
        Code::Csrf => (
            "This was not sent from our page",
            "Your browser did not say that this form belongs to this site. Open the page again, \
             and send it from there.",
        ),
        Code::InternalError => ("Something went wrong", "It was our mistake, and is noted."),
        _ => (
            "This could not be done",
            "What was sent is not complete. Go back, and try again.",
        ),
    };
    let reload = retry
        .filter(|_| is_get && code == Code::Unavailable)
        .map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"))
        .unwrap_or_default();
    page(
        status,
        retry,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta \
             name=\"viewport\" content=\"width=device-width\">{reload}<title>{title}</title>\
             <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p></main></body>\
             </html>"
        ),
    )
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;color-scheme:light dark;margin:0;\
                     display:grid;min-height:100vh;place-items:center}main{max-width:28rem;\
                     padding:1.5rem}h1{font-size:1.4rem}";
