//! Refusals for gRPC clients: a status in the headers of an answer without a body.

use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::error::Code;

/// Returns the media type of a request of gRPC, or of gRPC-Web; `None` for every other one.
pub(super) fn media(headers: &HeaderMap) -> Option<HeaderValue> {
    let media = headers.get(CONTENT_TYPE)?;
    let rest = media.as_bytes().strip_prefix(b"application/grpc")?;
    let is_grpc = matches!(rest.first(), None | Some(b'+' | b';')) || rest.starts_with(b"-web");
    is_grpc.then(|| media.clone())
}

/// Returns the answer: 200, with the gRPC status, which is all that such a client reads.
pub(super) fn answer(code: Code, media: HeaderValue) -> Response {
    let mut response = ().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media);
    headers.insert("grpc-status", HeaderValue::from_static(status(code)));
    headers.insert("grpc-message", HeaderValue::from_static(code.as_str()));
    response
}

/// Returns the status of a code, by its number.
const fn status(code: Code) -> &'static str {
    match code.status() {
        400 | 413 | 415 => "3",
        401 => "16",
        403 => "7",
        404 => "5",
        405 => "12",
        429 => "8",
        503 => "14",
        _ => "13",
    }
}
