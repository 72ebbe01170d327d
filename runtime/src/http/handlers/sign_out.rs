//! `POST /auth/signout` and `POST /auth/signout-all`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};

use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::gate::Running;

use super::super::body::{ReadBody, has_member, member};
use super::super::cookie::{REFRESH, find};
use super::super::extract::{KnownCaller, bearer};
use super::super::problem::Rejection;
use super::super::transport::{cookies, from_here_with_cookies, presented, signed_out};

/// Signs out: with a bearer, expired or not, or with a refresh token in the body, or with cookies,
/// which are cleared.
pub(in crate::http) async fn sign_out(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let settings = &gate.settings().access;
        let name = gate.routes.refresh_token;
        from_here_with_cookies(&gate, &request)?;
        let (parts, body) = ReadBody::optional_json(request).await?;
        let bearer = bearer(&parts, &settings.header, &settings.schemes)?;
        let names_a_token = body.as_ref().is_some_and(|body| has_member(body, name));
        if cookies(&gate).is_some() && brings_cookies(&gate, &parts.headers) {
            if bearer.is_some() || names_a_token {
                return Err(Code::InvalidRequest.into());
            }
            // Both of them go, whatever they are worth: nothing else could take them away.
            let sessions = presented(&gate, &parts.headers).await?;
            gate.flows().sign_out_sessions(&sessions).await?;
            return Ok(Transport::Cookie);
        }
        match (bearer, body) {
            (None, Some(body)) => gate.flows().sign_out_refresh(&member(&body, name)?).await?,
            (Some(_), Some(_)) if names_a_token => return Err(Code::InvalidRequest.into()),
            (Some(token), _) => gate.flows().sign_out_bearer(token).await?,
            (None, None) => return Err(Code::MissingToken.into()),
        }
        Ok::<_, Refusal>(Transport::Bearer)
    };
    let transport = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(signed_out(
        &gate,
        transport,
        StatusCode::NO_CONTENT.into_response(),
    ))
}

fn brings_cookies(gate: &Running, headers: &HeaderMap) -> bool {
    [&gate.cookies.access, REFRESH]
        .into_iter()
        .any(|name| find(headers, name).map_or(true, |found| found.is_some()))
}

/// Signs the caller out everywhere.
pub(in crate::http) async fn sign_out_all(
    State(gate): State<Arc<Running>>,
    caller: KnownCaller,
) -> Result<Response, Rejection> {
    let ended = gate.flows().sign_out_all(caller.token.subject()).await;
    ended.map_err(|refusal| gate.reject(refusal))?;
    Ok(signed_out(
        &gate,
        caller.transport,
        StatusCode::NO_CONTENT.into_response(),
    ))
}
