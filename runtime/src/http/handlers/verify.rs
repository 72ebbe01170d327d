//! `POST /auth/verify`: says whether a token is valid.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use crate::error::Refusal;
use crate::gate::Running;

use super::super::answer::{TokenDescription, private};
use super::super::body::{ReadBody, member};
use super::super::problem::Rejection;

/// Describes a token, if it is valid. Changes nothing.
pub(in crate::http) async fn verify(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let read = ReadBody::json(request).await?;
        gate.flows().count_question(&gate.client(&read.parts))?;
        let token = member(&read.bytes, "token")?;
        let about = gate.flows().describe(&token).await?;
        Ok::<_, Refusal>(private(TokenDescription {
            kind: about.kind,
            subject: about.subject,
            session_id: about.session_id,
            expires_at: about.expires_at.as_secs(),
        }))
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))
}
