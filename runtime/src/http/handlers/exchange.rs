//! `POST /auth/exchange`: exchanges a refresh token of the system that the gate replaces for a
//! session.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::gate::Running;

use super::super::body::member;
use super::super::problem::Rejection;
use super::super::transport::answer_sign_in;
use super::sign_in::{present, read};

/// Answers `POST /auth/exchange`.
pub(in crate::http) async fn exchange(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let (read, mut client, device) = read(&gate, request).await?;
        let token = Zeroizing::new(member(&read.bytes, "token")?);
        present(&gate, &read, &mut client).await?;
        let issued = gate.flows().exchange_former(&token, &client).await?;
        Ok((issued, client.transport, device))
    };
    let (issued, transport, device) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer_sign_in(&gate, &issued, transport, device.as_ref()))
}
