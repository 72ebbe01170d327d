//! `GET /.well-known/…`: the key set, and the metadata for services.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::gate::{Running, path_of};

/// An endpoint that the metadata names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Endpoint {
    KeySet,
    Revocation,
    Introspection,
}

/// Answers `GET /.well-known/jwks.json` (RFC 7517), with an entity tag.
pub(in crate::http) async fn jwks(
    State(gate): State<Arc<Running>>,
    request: HeaderMap,
) -> Response {
    let keys = gate.keys();
    let keys = keys.published();
    let mut response = if is_known(&request, keys.etag()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media = HeaderValue::from_static("application/jwk-set+json");
        ([(CONTENT_TYPE, media)], keys.body().to_vec()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    headers.extend(
        HeaderValue::try_from(keys.etag())
            .ok()
            .map(|etag| (ETAG, etag)),
    );
    response
}

/// Returns whether the client has this same document: `If-None-Match` holds its tag, weak or not,
/// or a star (RFC 9110 section 13.1.2).
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let listed = request
        .get_all(IF_NONE_MATCH)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    listed
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Answers `GET /.well-known/oauth-authorization-server` (RFC 8414). `path_of_endpoint` returns the
/// path of an endpoint that the gate has.
pub(in crate::http) fn metadata(
    gate: &Running,
    path_of_endpoint: impl Fn(Endpoint) -> Option<String>,
) -> Response {
    let settings = gate.settings();
    let base = settings.public_url.as_deref().unwrap_or_default();
    let (origin, _) = base.split_at(base.len() - path_of(base).len());
    let at = |base: &str, endpoint| path_of_endpoint(endpoint).map(|path| format!("{base}{path}"));
    let mut document = json!({
        "issuer": settings.issuer,
        "jwks_uri": at(origin, Endpoint::KeySet),
        "introspection_endpoint": at(base, Endpoint::Introspection),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        // Required members; this server has no authorization endpoint and no OAuth grant.
        "response_types_supported": [],
        "grant_types_supported": [],
    });
    if let Some(revocation) = at(base, Endpoint::Revocation) {
        let own_client_has_a_secret = settings.introspection.knows(&settings.client_id);
        let methods: &[&str] = if own_client_has_a_secret {
            &["client_secret_basic"]
        } else {
            &["none", "client_secret_basic"]
        };
        if let Some(members) = document.as_object_mut() {
            members.insert("revocation_endpoint".to_owned(), json!(revocation));
            members.insert(
                "revocation_endpoint_auth_methods_supported".to_owned(),
                json!(methods),
            );
        }
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, document.to_string()).into_response()
}
