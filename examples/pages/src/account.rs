//! The second factor of an account. To change it, its user proves again who they are.

use axum::Form;
use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tollgate::gate::EndSessions;
use tollgate::prelude::*;

use crate::accounts::{Accounts, Fresh, User};
use crate::html::{Text, page};

pub(crate) async fn show(
    user: Auth<User>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Html<String>, Rejection> {
    let body = if gate.backend().has_factor(user.subject()).await? {
        "<p><span class=\"badge\">on</span> Signing in takes your password and a code of your \
         authenticator.</p><form method=\"post\" action=\"/account/factor/remove\"><button \
         class=\"danger\">Remove the second factor</button></form>"
    } else {
        "<p>Your password alone signs you in. With a second factor it takes a code of your \
         authenticator, too.</p><form method=\"post\" action=\"/account/factor\"><button>Set up a \
         second factor</button></form>"
    };
    Ok(page(&user, "/account", "Account", body))
}

/// Proposes a factor, and leads to the page that shows it: reloading that page proposes no other.
pub(crate) async fn propose(
    user: Auth<User, Fresh>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Redirect, Rejection> {
    gate.backend().propose_factor(&user).await?;
    Ok(Redirect::to(PROPOSED))
}

/// The factor that was proposed, with a notice after a wrong code.
pub(crate) async fn proposed(
    user: Auth<User, Fresh>,
    State(gate): State<Gate<Accounts>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Rejection> {
    let Some(factor) = gate.backend().proposed_factor(&user).await? else {
        return Ok(Redirect::to("/account").into_response());
    };
    let notice = match query.as_deref() {
        Some("wrong") => "<p class=\"notice\" role=\"alert\">That code is not right.</p>",
        _ => "",
    };
    let secret = factor.secret().to_base32();
    let body = format!(
        "{notice}<p>Add this key to your authenticator, and enter the six digits that it shows.</p>\
         <p class=\"secret\"><code>{}</code></p><form method=\"post\" \
         action=\"/account/factor/confirm\"><label>Code<input name=\"code\" \
         inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9]{{6}}\" required \
         autofocus></label><button>Turn on</button></form>",
        Text(&secret)
    );
    Ok(page(&user.proven()?, "/account", "Second factor", body).into_response())
}

#[derive(Deserialize)]
pub(crate) struct NewCode {
    code: String,
}

/// Turns the factor on. The other devices have to sign in with it.
pub(crate) async fn confirm(
    user: Auth<User, Fresh>,
    State(gate): State<Gate<Accounts>>,
    Form(form): Form<NewCode>,
) -> Result<Redirect, Rejection> {
    if !gate.backend().confirm_factor(&user, &form.code).await? {
        return Ok(Redirect::to(&format!("{PROPOSED}?wrong")));
    }
    gate.credentials_changed(user.subject(), others(&user))
        .await?;
    Ok(Redirect::to("/account"))
}

pub(crate) async fn remove(
    user: Auth<User, Fresh>,
    State(gate): State<Gate<Accounts>>,
) -> Result<Redirect, Rejection> {
    gate.backend().remove_factor(&user).await?;
    gate.credentials_changed(user.subject(), others(&user))
        .await?;
    Ok(Redirect::to("/account"))
}

fn others(user: &Auth<User, Fresh>) -> EndSessions {
    match user.token().sid() {
        Some(keep) => EndSessions::Others { keep },
        None => EndSessions::All,
    }
}

/// The page of a factor that was proposed.
const PROPOSED: &str = "/account/factor";
