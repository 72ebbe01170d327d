//! `POST /auth/revoke` (RFC 7009).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::error::Refusal;
use crate::gate::Running;

use super::super::body::ReadBody;
use super::super::problem::{Rejection, no_store};
use super::service::revoker;

/// Revokes a token: answers 200 even if there is nothing to revoke.
pub(in crate::http) async fn revoke(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[derive(Deserialize)]
    struct Form {
        token: String,
        // The hint is ignored: every kind is tried (RFC 7009 section 2.1).
        #[serde(default, rename = "token_type_hint")]
        _hint: Option<String>,
        #[serde(default)]
        affect_tree: bool,
        #[serde(default)]
        client_id: Option<String>,
    }
    let attempt = async {
        let read = ReadBody::any(request).await?;
        gate.flows().count_question(&gate.client(&read.parts))?;
        let form: Form = read.parse_any()?;
        Ok::<_, Refusal>((read.parts, form))
    };
    let (parts, form) = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    let service = revoker(&gate, &parts, form.client_id.as_deref())?;
    // A token that was issued to another client stays as it is (R95).
    if service.is_none_or(|service| service == gate.settings().client_id) {
        let revoked = gate
            .flows()
            .revoke_presented(&form.token, form.affect_tree)
            .await;
        revoked.map_err(|refusal| gate.reject(refusal))?;
    }
    let mut response = ().into_response();
    no_store(response.headers_mut());
    Ok(response)
}
