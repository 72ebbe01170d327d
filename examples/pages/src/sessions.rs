//! The devices on which somebody is signed in.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use tollgate::clock::Clock;
use tollgate::gate::SessionInfo;
use tollgate::id::SessionId;
use tollgate::prelude::*;
use tollgate::session::Revoke;

use crate::accounts::{Accounts, User};
use crate::html;

pub(crate) async fn list(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Html<String>, Rejection> {
    let sessions = gate.sessions().of(user.subject()).await?;
    let others = if sessions.len() > 1 {
        "<form method=\"post\" action=\"/sessions/end-others\"><button class=\"danger\">End all \
         others</button></form>"
    } else {
        ""
    };
    let body = format!(
        "<p>You are signed in on these devices. One that you do not know may be somebody else's: \
         end it, and set another password.</p>{}{others}",
        rows(&user, &sessions)
    );
    Ok(html::page(&user, "/sessions", "Devices", body))
}

/// Ends one session of the caller. That of somebody else is not there.
pub(crate) async fn end(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
    headers: HeaderMap,
    Path(id): Path<SessionId>,
) -> Result<Response, Rejection> {
    let session = gate.sessions().get(id).await?;
    if session.is_some_and(|session| session.subject == user.subject().to_string()) {
        gate.revoke(Revoke::session(id)).await?;
    }
    if headers.contains_key("hx-request") {
        let sessions = gate.sessions().of(user.subject()).await?;
        return Ok(Html(rows(&user, &sessions)).into_response());
    }
    Ok(Redirect::to("/sessions").into_response())
}

pub(crate) async fn end_others(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Redirect, Rejection> {
    let keep = user.token().sid().ok_or(Code::Forbidden)?;
    gate.revoke(Revoke::others(user.subject(), keep)).await?;
    Ok(Redirect::to("/sessions"))
}

fn rows(user: &Auth<User>, sessions: &[SessionInfo]) -> String {
    let path = |id| format!("/sessions/{id}/end");
    let now = Clock::system().now();
    html::sessions(sessions, user.token().sid(), now, path)
}
