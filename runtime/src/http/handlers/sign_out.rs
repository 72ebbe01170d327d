//! `POST /auth/signout` and `POST /auth/signout-all`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, HeaderMap, StatusCode};

use crate::device::Transport;
use crate::error::{Code, Malformed, Refusal};
use crate::gate::Running;

use super::super::body::{ReadBody, demand_object, has_member, member};
use super::super::extract::{KnownCaller, all_cookies, bearer, cookies_of};
#[cfg(feature = "cookies")]
use super::super::pages;
use super::super::problem::Rejection;
use super::super::transport::{
    brings_cookies, from_here_with_cookies, presented, sign_out_presented, signed_out,
};

/// Signs out: with a bearer token, expired or not, or with a refresh token in the body, or with
/// cookies, which are cleared.
pub(in crate::http) async fn sign_out(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[cfg(feature = "cookies")]
    if pages::is_form(&gate, request.headers()) {
        return Ok(pages::sign_out(&gate, request).await);
    }
    let attempt = async {
        let settings = &gate.settings().access;
        let name = gate.routes.refresh_token;
        from_here_with_cookies(&gate, &request)?;
        let (parts, body) = ReadBody::optional_json(request).await?;
        let client = gate.client(&parts);
        gate.flows().count_question(&client)?;
        let bearer = bearer(&parts, &settings.header, &settings.schemes)?;
        let names_a_token = match &body {
            Some(body) => demand_object(body).map(|()| has_member(body, name))?,
            None => false,
        };
        if brings_cookies(&gate, all_cookies(&parts)) {
            if bearer.is_some() || names_a_token {
                return Err(Malformed::TwoCredentials.into());
            }
            // All cookies are used and cleared, even if they are no longer valid: a script cannot
            // clear them.
            sign_out_presented(&gate, all_cookies(&parts), client.ip).await?;
            return Ok(Transport::Cookie);
        }
        match (bearer, body) {
            (None, Some(body)) if names_a_token => {
                gate.flows().sign_out_refresh(&member(&body, name)?).await?;
            }
            (Some(_), Some(_)) if names_a_token => return Err(Malformed::TwoCredentials.into()),
            (Some(token), _) => gate.flows().sign_out_bearer(token).await?,
            (None, _) => return Err(Code::MissingToken.into()),
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

/// Signs the caller out everywhere.
pub(in crate::http) async fn sign_out_all(
    State(gate): State<Arc<Running>>,
    caller: KnownCaller,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Rejection> {
    let attempt = async {
        let flows = gate.flows();
        // The cookies are cleared, so the sessions that they name end too, even those of another
        // subject.
        let sessions = match caller.transport {
            Transport::Cookie => presented(&gate, cookies_of(&headers, &extensions)).await?,
            Transport::Bearer => Vec::new(),
        };
        flows.sign_out_all(caller.token.subject()).await?;
        let own = caller.token.sid();
        let others: Vec<_> = sessions
            .into_iter()
            .filter(|sid| Some(*sid) != own)
            .collect();
        flows.sign_out_sessions(&others).await
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(signed_out(
        &gate,
        caller.transport,
        StatusCode::NO_CONTENT.into_response(),
    ))
}
