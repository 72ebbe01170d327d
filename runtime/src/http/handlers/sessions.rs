//! `GET /auth/sessions` and `DELETE /auth/sessions/{id}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::error::{Code, Refusal};
use crate::gate::Running;
use crate::id::SessionId;

use super::super::answer::{SessionEntry, private};
use super::super::extract::KnownCaller;
use super::super::problem::Rejection;

/// Lists the sessions of the caller.
pub(in crate::http) async fn list(
    State(gate): State<Arc<Running>>,
    caller: KnownCaller,
) -> Result<Response, Rejection> {
    let sessions = gate
        .sessions()
        .of(caller.token.subject())
        .await
        .map_err(|e| gate.reject(Refusal::unavailable(e)))?;
    let current = caller.token.sid();
    Ok(private(
        sessions
            .into_iter()
            .map(|session| SessionEntry::new(session, current))
            .collect::<Vec<_>>(),
    ))
}

/// The parameter of the path, by its name: the prefix that the routes hang under may have others.
#[derive(Deserialize)]
pub(in crate::http) struct SessionPath {
    id: String,
}

/// Ends a session of the caller. The session of another subject is not found (R94), and neither is
/// an id that is not even text.
pub(in crate::http) async fn end(
    State(gate): State<Arc<Running>>,
    caller: KnownCaller,
    path: Result<Path<SessionPath>, PathRejection>,
) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let sid = path
            .ok()
            .and_then(|Path(path)| SessionId::parse(&path.id))
            .ok_or(Code::NotFound)?;
        gate.flows().end_session(sid, caller.token.subject()).await
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(StatusCode::NO_CONTENT)
}
