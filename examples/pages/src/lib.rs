//! A logbook of HTML pages, rendered on the server. Its users stay signed in without a script; where
//! there is one, htmx saves them a few page loads.

mod account;
mod accounts;
mod admin;
mod html;
mod login;
mod notes;
mod sessions;

pub use accounts::Accounts;

use std::error::Error;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tollgate::pages::PageForm;
use tollgate::prelude::*;

/// The whole application, and its gate. Everything it keeps is in `folder`.
///
/// # Errors
/// The settings cannot be used, or a file cannot be opened.
pub async fn app(
    folder: &Path,
    settings: Settings,
) -> Result<(Router, Gate<Accounts>), Box<dyn Error>> {
    let gate = open(folder, settings).await?;
    let app = serve(routes(&gate).layer(gate.pages("/login")), &gate);
    Ok((app, gate))
}

/// The gate of the application.
///
/// # Errors
/// As [`app`].
pub async fn open(folder: &Path, mut settings: Settings) -> Result<Gate<Accounts>, Box<dyn Error>> {
    settings.issuer.get_or_insert(ISSUER.to_owned());
    settings.audience.get_or_insert("pages".to_owned());
    settings.cookies.path.get_or_insert("/auth".to_owned());

    let users = folder.join("app.db");
    let passwords = Passwords::new();
    let accounts = Accounts::open(&users, passwords.clone()).await;
    let accounts = accounts.map_err(|error| match error {
        AuthError::Unavailable(cause) => format!("`{}` cannot be used: {cause}", users.display()),
        refused => format!("`{}` cannot be used: {refused:?}", users.display()),
    })?;
    let ring = KeyRing::options(folder.join("keys")).settings(&settings.keys);
    let gate = accounts
        .gate()
        .settings(settings)
        .passwords(&passwords)
        .keys(ring.open().await?)
        .store(SqliteStore::open(folder.join("tollgate.db")).await?)
        .build()
        .await?;
    Ok(gate)
}

/// The pages, and the forms on them. [`app`] puts the layer that keeps visitors signed in around
/// them.
pub fn routes(gate: &Gate<Accounts>) -> Router<Gate<Accounts>> {
    Router::new()
        .route("/", get(notes::home))
        .route("/notes", post(notes::add))
        .route("/notes/{id}/delete", post(notes::delete))
        .route("/sessions", get(sessions::list))
        .route("/sessions/end-others", post(sessions::end_others))
        .route("/sessions/{id}/end", post(sessions::end))
        .route("/account", get(account::show))
        .route(
            "/account/factor",
            get(account::proposed).post(account::propose),
        )
        .route("/account/factor/confirm", post(account::confirm))
        .route("/account/factor/remove", post(account::remove))
        .route("/admin", get(admin::list))
        .route("/admin/{user}", get(admin::user))
        .route("/admin/{user}/end", post(admin::end_all))
        .route("/admin/{user}/sessions/{id}/end", post(admin::end))
        .route(
            "/login",
            get(login::show).merge(gate.form(PageForm::SignIn)),
        )
        .route(
            "/login/step",
            get(login::step).merge(gate.form(PageForm::Step)),
        )
        .route("/login/fresh", gate.form(PageForm::Reauthenticate))
        .route("/logout", gate.form(PageForm::SignOut))
        .fallback(async || StatusCode::NOT_FOUND)
        // A visitor who may not see a page reads a page that says so, not a problem document.
        .layer(from_fn(explain))
}

/// The pages together with the auth routes and the files.
pub fn serve(pages: Router<Gate<Accounts>>, gate: &Gate<Accounts>) -> Router {
    gate.install(pages)
        .with_state(gate.clone())
        // Files are outside: nobody has to be known for them.
        .route("/assets/style.css", get(async || asset("text/css", STYLE)))
        .route(
            "/assets/htmx.js",
            get(async || asset("text/javascript", HTMX)),
        )
        .layer(map_response(protect))
}

/// Answers a page that its visitor may not see, or that is not there, and a form that cannot be
/// read, with a page. One that the gate wrote stays.
async fn explain(request: Request, next: Next) -> Response {
    let accepts = request.headers().get("accept");
    let wants_page = accepts.is_some_and(|a| a.to_str().is_ok_and(|a| a.contains("text/html")));
    let is_htmx = request.headers().contains_key("hx-request");
    let response = next.run(request).await;
    let status = response.status();
    let explained = matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    );
    let kind = response.headers().get(CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if wants_page && !is_htmx && explained && !is_page {
        (status, html::refused(status)).into_response()
    } else {
        response
    }
}

/// Adds the headers that every page has. `same-origin` and not `no-referrer`: with that browsers
/// leave out the origin of a form, which the gate asks for.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text).into_response()
}

/// The name of this issuer, which stays the same on another port: tokens and the store know it.
const ISSUER: &str = "http://localhost:3000";
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors \
                      'none'";
const STYLE: &str = include_str!("../assets/style.css");
const HTMX: &str = include_str!("../assets/htmx.min.js");
