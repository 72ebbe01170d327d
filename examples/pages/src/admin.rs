//! What administrators see: who there is, where they are signed in, and how to end that.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use tollgate::clock::Clock;
use tollgate::gate::SessionInfo;
use tollgate::id::SessionId;
use tollgate::prelude::*;
use tollgate::session::Revoke;
use uuid::Uuid;

use crate::accounts::{Accounts, Admin, User};
use crate::html::{self, Text, page};

pub(crate) async fn list(
    admin: Auth<User, Admin>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Html<String>, Rejection> {
    let mut rows = String::new();
    for user in gate.backend().everybody().await? {
        let count = gate.sessions().of(user.id()).await?.len();
        let devices = if count == 1 { "device" } else { "devices" };
        rows += &format!(
            "<li><div><strong>{}</strong><small>{count} {devices}</small></div><a \
             class=\"button\" href=\"/admin/{}\" aria-label=\"Devices of {}\">Devices</a></li>",
            Text(user.email()),
            user.id(),
            Text(user.email()),
        );
    }
    let body = format!("<ul class=\"list\">{rows}</ul>");
    Ok(page(&admin.proven()?, "/admin", "People", body))
}

pub(crate) async fn user(
    admin: Auth<User, Admin>,
    State(gate): State<Gate<Accounts>>,
    Path(id): Path<Uuid>,
) -> Result<Html<String>, Rejection> {
    let user = gate.backend().by_id(&id).await?.ok_or(Code::NotFound)?;
    let sessions = gate.sessions().of(id).await?;
    let end_all = if sessions.is_empty() {
        String::new()
    } else {
        format!(
            "<form method=\"post\" action=\"/admin/{id}/end\"><button class=\"danger\">End all\
             </button></form>"
        )
    };
    let email = Text(user.email());
    let body = format!(
        "<p>Where <strong>{email}</strong> is signed in.</p>{}{end_all}<p class=\"back\"><a \
         href=\"/admin\">All people</a></p>",
        rows(&admin, &sessions, &id),
    );
    let title = format!("Devices of {email}");
    Ok(page(&admin.proven()?, "/admin", &title, body))
}

pub(crate) async fn end(
    admin: Auth<User, Admin>,
    State(gate): State<Gate<Accounts>>,
    headers: HeaderMap,
    Path((user, session)): Path<(Uuid, SessionId)>,
) -> Result<Response, Rejection> {
    let found = gate.sessions().get(session).await?;
    if found.is_some_and(|found| found.subject == user.to_string()) {
        gate.revoke(Revoke::session(session)).await?;
    }
    if headers.contains_key("hx-request") {
        let sessions = gate.sessions().of(user).await?;
        return Ok(Html(rows(&admin, &sessions, &user)).into_response());
    }
    Ok(Redirect::to(&format!("/admin/{user}")).into_response())
}

pub(crate) async fn end_all(
    _: Auth<User, Admin>,
    State(gate): State<Gate<Accounts>>,
    Path(user): Path<Uuid>,
) -> Result<Redirect, Rejection> {
    gate.revoke(Revoke::subject(user)).await?;
    Ok(Redirect::to(&format!("/admin/{user}")))
}

fn rows(admin: &Auth<User, Admin>, sessions: &[SessionInfo], user: &Uuid) -> String {
    let path = |id| format!("/admin/{user}/sessions/{id}/end");
    let now = Clock::system().now();
    html::sessions(sessions, admin.token().sid(), now, path)
}
