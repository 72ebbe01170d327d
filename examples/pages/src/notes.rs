//! The notes of the user: a page, a form, and both without a page load where htmx runs.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tollgate::prelude::*;

use crate::accounts::{Accounts, Note, User};
use crate::html::{Text, page};

pub(crate) async fn home(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Html<String>, Rejection> {
    let notes = gate.backend().notes(user.subject()).await?;
    Ok(page(&user, "/", "Notes", list(&notes)))
}

#[derive(Deserialize)]
pub(crate) struct NewNote {
    text: String,
}

pub(crate) async fn add(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
    headers: HeaderMap,
    Form(note): Form<NewNote>,
) -> Result<Response, Rejection> {
    let text = note.text.trim();
    if text.is_empty() || text.len() > 800 {
        return Err(Code::InvalidRequest.into());
    }
    gate.backend().add_note(user.subject(), text).await?;
    answer(&user, &gate, &headers).await
}

pub(crate) async fn delete(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, Rejection> {
    gate.backend().delete_note(user.subject(), id).await?;
    answer(&user, &gate, &headers).await
}

/// Answers the list to htmx, and the page to everybody else.
async fn answer(
    user: &Auth<User>,
    gate: &Gate<Accounts>,
    headers: &HeaderMap,
) -> Result<Response, Rejection> {
    if headers.contains_key("hx-request") {
        let notes = gate.backend().notes(user.subject()).await?;
        return Ok(Html(list(&notes)).into_response());
    }
    Ok(Redirect::to("/").into_response())
}

/// The form and the notes below it, in one piece: after a note was added the form is empty again.
fn list(notes: &[Note]) -> String {
    let rows = notes.iter().map(|note| {
        let path = format!("/notes/{}/delete", note.id);
        format!(
            "<li><div>{}</div><form method=\"post\" action=\"{path}\" hx-post=\"{path}\" \
             hx-target=\"#notes\" hx-swap=\"outerHTML\"><button class=\"quiet\" \
             aria-label=\"Delete this note\">Delete</button></form></li>",
            Text(&note.text)
        )
    });
    let rows: String = rows.collect();
    let rows = if rows.is_empty() {
        "<li class=\"empty\">No notes yet. Write the first one above.</li>".to_owned()
    } else {
        rows
    };
    format!(
        "<div id=\"notes\"><form class=\"line\" method=\"post\" action=\"/notes\" hx-post=\"/notes\" \
         hx-target=\"#notes\" hx-swap=\"outerHTML\"><input name=\"text\" aria-label=\"A note\" \
         placeholder=\"What happened?\" maxlength=\"200\" required autofocus><button>Add</button>\
         </form><ul class=\"list\">{rows}</ul></div>"
    )
}
