//! `GET /auth/sessions` and `DELETE /auth/sessions/{id}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::error::{Code, Malformed, Refusal};
use crate::gate::Running;
use crate::id::SessionId;

use super::super::answer::{SessionEntry, private};
use super::super::extract::KnownCaller;
use super::super::form;
use super::super::problem::Rejection;

/// The parameters of a list.
#[derive(Deserialize)]
pub(in crate::http) struct Listed {
    after: Option<String>,
}

/// Lists the sessions of the caller, a page at a time. The next page is in `Link` (RFC 8288), as a
/// query of the address that was asked: a proxy may have changed the path.
pub(in crate::http) async fn list(
    State(gate): State<Arc<Running>>,
    caller: KnownCaller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Rejection> {
    let attempt = async {
        let query = uri.query().unwrap_or_default();
        let listed: Listed = form::parse(query.as_bytes()).ok_or(Malformed::NoSuchPage)?;
        let after = listed
            .after
            .map(|after| SessionId::parse(&after).ok_or(Malformed::NoSuchPage))
            .transpose()?;
        let sessions = gate.sessions();
        // One session more than a page holds shows whether there is another page.
        let limit = u32::try_from(PAGE + 1).map_err(Refusal::unavailable)?;
        let page = sessions.page(caller.token.subject(), after, limit).await;
        let page = page.map_err(Refusal::unavailable)?;
        Ok(page.ok_or(Malformed::NoSuchPage)?)
    };
    let mut page = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    let has_more = page.len() > PAGE;
    page.truncate(PAGE);
    let next = page
        .last()
        .filter(|_| has_more)
        .map(|last| format!("<?after={}>; rel=\"next\"", last.session_id));
    let current = caller.token.sid();
    let entries: Vec<_> = page
        .into_iter()
        .map(|session| SessionEntry::new(session, current))
        .collect();
    let mut response = private(entries);
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

/// The parameter of the path, by its name: the prefix of the routes may have parameters too.
#[derive(Deserialize)]
pub(in crate::http) struct SessionPath {
    id: String,
}

/// Ends a session of the caller. The session of another subject is not found (R94), and neither is
/// an id that is not text.
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

/// The number of sessions on a page.
const PAGE: usize = 100;
