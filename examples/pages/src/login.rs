//! The login page, and the page of a second factor.

use axum::response::{Html, IntoResponse as _, Redirect, Response};
use tollgate::pages::{LoginPage, LoginReason};
use tollgate::prelude::*;

use crate::accounts::User;
use crate::html::{Text, plain};

/// A visitor who is signed in goes on at once, unless they come for a reason: they have to prove it
/// again, or a page refused them in spite of their token, which is still valid if their account was
/// deleted a moment ago. Sent back to that page, they would be refused again.
pub(crate) async fn show(Lenient(user): Lenient<Auth<User>>, page: LoginPage) -> Response {
    let reason = page.reason();
    match user {
        Some(user) if reason.is_some_and(LoginReason::is_fresh) => {
            fresh(&user, &page).into_response()
        }
        Some(_) if reason.is_none() => Redirect::to(page.next()).into_response(),
        _ => sign_in(&page).into_response(),
    }
}

fn sign_in(page: &LoginPage) -> Html<String> {
    plain(
        "Sign in",
        format_args!(
            "{}<form method=\"post\" action=\"/login\">{}<label>Email address<input name=\"email\" \
             type=\"email\" autocomplete=\"username\" required autofocus></label>\
             <label>Password<input name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required></label><button>Sign in</button></form>\
             <p class=\"hint\">Try <code>ada@example.com</code> or <code>grace@example.com</code> \
             with <code>correct horse battery staple</code>.</p>",
            notice(page.reason()),
            next(page),
        ),
    )
}

fn fresh(user: &Auth<User>, page: &LoginPage) -> Html<String> {
    plain(
        "Confirm your password",
        format_args!(
            "{}<p>You are signed in. For the next page, enter your password once more.</p><form method=\"post\" \
             action=\"/login/fresh\">{}<input type=\"hidden\" name=\"email\" value=\"{}\" \
             autocomplete=\"username\"><label>Password of {}<input name=\"password\" \
             type=\"password\" autocomplete=\"current-password\" required autofocus></label>\
             <button>Continue</button></form>",
            notice(page.reason()),
            next(page),
            Text(user.email()),
            Text(user.email()),
        ),
    )
}

/// The page of a second factor. The token of the step is in a cookie, so the form has the code alone.
pub(crate) async fn step(_: Public, page: LoginPage) -> Html<String> {
    let notice = match page.reason() {
        Some(LoginReason::Refused) => {
            "<p class=\"notice\" role=\"alert\">That code is not right.</p>"
        }
        _ => "",
    };
    plain(
        "Second factor",
        format_args!(
            "{notice}<p>Enter the six digits that your authenticator shows.</p><form \
             method=\"post\" action=\"/login/step\">{}<label>Code<input name=\"code\" \
             inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9]{{6}}\" required \
             autofocus></label><button>Continue</button></form><p class=\"hint\"><a \
             href=\"/login\">Start again</a></p>",
            next(&page),
        ),
    )
}

fn notice(reason: Option<LoginReason>) -> &'static str {
    match reason {
        Some(LoginReason::Expired) => {
            "<p class=\"notice\" role=\"alert\">Your session ended. Please sign in again.</p>"
        }
        Some(LoginReason::Refused) => {
            "<p class=\"notice\" role=\"alert\">The email address or the password is not right.</p>"
        }
        Some(LoginReason::FreshRefused) => {
            "<p class=\"notice\" role=\"alert\">The password is not right.</p>"
        }
        _ => "",
    }
}

fn next(page: &LoginPage) -> String {
    format!(
        "<input type=\"hidden\" name=\"next\" value=\"{}\">",
        Text(page.next())
    )
}
