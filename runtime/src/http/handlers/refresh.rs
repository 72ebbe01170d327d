//! `POST /auth/refresh-access`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use crate::error::Refusal;
use crate::gate::Running;

use super::super::body::{ReadBody, device};
use super::super::problem::Rejection;
use super::super::transport::{answer, cookies, from_here_with_cookies, refresh_token};

/// Exchanges a refresh token for a new pair.
pub(in crate::http) async fn refresh(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        from_here_with_cookies(&gate, &request)?;
        let (parts, body) = match cookies(&gate) {
            Some(_) => ReadBody::optional_json(request).await?,
            None => ReadBody::json(request)
                .await
                .map(|read| (read.parts, Some(read.bytes)))?,
        };
        let sent = refresh_token(&gate, &parts, body.as_ref())?;
        let mut client = gate.client(&parts);
        client.transport = sent.transport;
        if let Some(body) = &body {
            device(body, &mut client.device)?;
        }
        Ok((gate.flows().refresh(&sent.token, &client).await?, sent))
    };
    let (issued, sent) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer(&gate, &issued, sent.transport, sent.moves))
}
