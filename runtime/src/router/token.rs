//! Refreshing, asking about and revoking tokens.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::error::{Code, Refusal};
use crate::gate::{AuthBackend, Gate};
use crate::reject::{Rejection, no_store};

use super::answer::{Described, private};
use super::body::{Media, Read, device, member};
use super::service::revoker;
use super::transport::{answer, cookies, from_here_with_cookies, refresh_token};

/// `POST /auth/refresh-access`.
pub(super) async fn refresh<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        from_here_with_cookies(&gate, &request)?;
        let (parts, body) = match cookies(&gate) {
            Some(_) => Read::optional_json(request).await?,
            None => Read::json(request)
                .await
                .map(|read| (read.parts, Some(read.bytes)))?,
        };
        let (token, transport) = refresh_token(&gate, &parts, body.as_ref())?;
        let mut client = gate.client(&parts);
        client.transport = transport;
        if let Some(body) = &body {
            device(body, &mut client.device)?;
        }
        Ok((gate.refresh(&token, &client).await?, transport))
    };
    let (issued, transport) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer(&gate, &issued, transport))
}

/// `POST /auth/verify`: whether a token counts. Changes nothing.
pub(super) async fn verify<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let read = Read::json(request).await?;
        gate.count_question(&gate.client(&read.parts))?;
        let token = member(&read.bytes, "token")?;
        let about = gate.describe(&token).await?;
        Ok::<_, Refusal>(private(Described {
            kind: about.kind,
            subject: about.subject,
            session_id: about.session_id,
            expires_at: about.expires_at.as_secs(),
        }))
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))
}

/// `POST /auth/revoke` (RFC 7009): 200 also where nothing happened.
pub(super) async fn revoke<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[derive(Deserialize)]
    struct Form {
        token: String,
        // Looked at by nobody: every kind is tried (RFC 7009 section 2.1).
        #[serde(default, rename = "token_type_hint")]
        _hint: Option<String>,
        #[serde(default)]
        affect_tree: bool,
        #[serde(default)]
        client_id: Option<String>,
    }
    let attempt = async {
        let read = Read::any(request).await?;
        let form: Form = match read.media {
            Media::Json => read.parse()?,
            Media::Form => {
                serde_urlencoded::from_bytes(&read.bytes).map_err(|_| Code::InvalidRequest)?
            }
        };
        Ok::<_, Refusal>((read.parts, form))
    };
    let (parts, form) = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    let service = revoker(&gate, &parts, form.client_id.as_deref())?;
    // A token that was issued to another client stays as it is (R95).
    if service.is_none_or(|service| service == gate.running().engine.settings.client_id) {
        let revoked = gate.revoke_presented(&form.token, form.affect_tree).await;
        revoked.map_err(|refusal| gate.reject(refusal))?;
    }
    let mut response = ().into_response();
    no_store(response.headers_mut());
    Ok(response)
}
