//! Pages: HTML that browsers show, whose users stay signed in without a script (feature `cookies`).

mod answer;
mod form;
mod html;
mod layer;
mod login;
mod renew;
mod signals;
mod table;

pub use form::PageForm;
pub use layer::{Pages, PagesFuture, PagesService};
pub use login::{LoginPage, LoginReason};

pub(super) use form::{is_form, reauthenticate, sign_in, sign_out, step};

use axum::extract::OriginalUri;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{Method, StatusCode, Uri};

use crate::error::{Error, ErrorKind, Refusal};
use crate::gate::{AuthBackend, Gate, Running};

impl<B: AuthBackend> Gate<B> {
    /// Returns a layer for the HTML routes of an application: their users stay signed in for as long
    /// as their session lasts, without a script. It stands around pages, and around the routes that
    /// their scripts and forms call; static files and interfaces for other programs stay outside.
    ///
    /// - If the access cookie of a request has expired, the layer renews it with the refresh
    ///   cookie. A page is redirected to itself (307) with both cookies; every other request
    ///   continues as that user.
    /// - A request that another site could have made renews nothing, except a page that a visitor
    ///   opens through a link.
    /// - If a page refuses its visitor (401), the browser is redirected to `login`, with the
    ///   address of the page as `next`: see [`LoginPage`].
    ///
    /// The exact rules are in `docs/reference/pages.md`. With this layer the routes for sign-in,
    /// its steps and sign-out also accept forms: see [`form`](Self::form). Cookies are
    /// `SameSite=Lax`.
    ///
    /// # Panics
    /// Where [`try_pages`](Self::try_pages) returns an error, with its text.
    ///
    /// # Examples
    /// ```
    /// use axum::Router;
    /// use axum::routing::get;
    /// use tollgate::pages::{LoginPage, PageForm};
    /// use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User, refresh(from = stored))] struct Accounts;
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Invalid)
    /// #     }
    /// # }
    ///
    /// async fn home(user: Auth<User>) -> String {
    ///     format!("the page of {}", user.subject())
    /// }
    ///
    /// async fn login(_: Public, page: LoginPage) -> String {
    ///     format!("a form for `email`, `password`, and `next`: {}", page.next())
    /// }
    ///
    /// fn app(gate: &Gate<Accounts>) -> Router {
    ///     let pages = Router::new()
    ///         .route("/", get(home))
    ///         .route("/login", get(login).merge(gate.form(PageForm::SignIn)))
    ///         .route("/logout", gate.form(PageForm::SignOut))
    ///         .layer(gate.pages("/login"));
    ///     gate.install(pages).with_state(gate.clone())
    /// }
    /// # let _ = app;
    /// ```
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "pages that cannot be renewed are a mistake of the program, as for `install`"
    )]
    pub fn pages(&self, login: &str) -> Pages<B::User> {
        match self.try_pages(login) {
            Ok(pages) => pages,
            Err(error) => panic!("{error}"),
        }
    }

    /// Does what [`pages`](Self::pages) does, and returns an error where pages cannot be renewed.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`]: `cookies.path` is not set, `cookies.same_site` is `strict`,
    /// `cookies.refresh` is `path`, `refresh.policy` is `strict` or `window`, `refresh.window` is
    /// zero, or `binding.access_device` is `enforce`. [`ErrorKind::Usage`]: `login` is not a plain
    /// path such as `/login`, is below the auth routes, or differs from an earlier call.
    pub fn try_pages(&self, login: &str) -> Result<Pages<B::User>, Error> {
        let gate = self.running();
        gate.settings().validate_pages()?;
        let usage = |why: String| Error::new(ErrorKind::Usage, why);
        if !is_plain_path(login) {
            return Err(usage(format!(
                "the login page of `gate.pages` must be a plain path, such as `/login`: `{login}`"
            )));
        }
        if is_auth_route(gate, login) {
            return Err(usage(format!(
                "the login page `{login}` of `gate.pages` lies below the auth routes: choose a \
                 path outside `{}`",
                gate.routes.prefix
            )));
        }
        gate.open_pages(login)?;
        Ok(Pages::new(gate))
    }
}

/// Returns the address as the browser sees it, wherever the routes are nested.
fn uri(parts: &Parts) -> &Uri {
    parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |OriginalUri(uri)| uri)
}

fn path(parts: &Parts) -> &str {
    uri(parts).path()
}

/// Returns whether a path is that of an auth route, or below it.
fn is_auth_route(gate: &Running, path: &str) -> bool {
    let nested = gate.settings().cookies.path.as_deref().unwrap_or_default();
    [gate.routes.prefix, nested].into_iter().any(|prefix| {
        let prefix = prefix.trim_end_matches('/');
        let rest = path.strip_prefix(prefix).filter(|_| !prefix.is_empty());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Returns whether a text is a path without anything that would have to be encoded.
fn is_plain_path(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !matches!(part, "" | "." | "..") && part.bytes().all(is_plain)
        })
    })
}

/// Returns a redirection that asks for the next page with `GET`.
fn see_other(location: &str) -> Response {
    answer::to(StatusCode::SEE_OTHER, location)
}

/// Returns whether a method is that of a page.
fn is_get(method: &Method) -> bool {
    method == Method::GET
}

/// Returns a refusal of a gate as a response.
fn reject(gate: &Running, refusal: impl Into<Refusal>) -> Response {
    gate.reject(refusal).into_response()
}
