//! `POST /auth/introspect` (RFC 7662 section 2).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::gate::Running;

use super::super::body::ReadBody;
use super::super::problem::{Rejection, no_store};
use super::service::{service, unknown_service};

/// Describes a token to a service.
pub(in crate::http) async fn introspect(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[derive(Deserialize)]
    struct Form {
        token: String,
        // The hint is ignored: every kind is tried (section 2.1).
        #[serde(default, rename = "token_type_hint")]
        _hint: Option<String>,
    }
    // This comes before the body: the body of a service that may not ask is not read.
    if service(&gate, request.headers())?.is_none() {
        return Err(unknown_service());
    }
    let attempt = async {
        let read = ReadBody::any(request).await?;
        let form: Form = read.parse_any()?;
        gate.flows().introspect(&form.token).await
    };
    let found = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    let body = found.map_or_else(|| json!({"active": false}), Value::Object);
    let mut response = body.to_string().into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(response.headers_mut());
    Ok(response)
}
