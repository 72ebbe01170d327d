//! Pages: HTML that browsers show, whose users stay signed in without a script (feature `cookies`).

mod answer;
mod form;
mod html;
mod login;
mod table;

pub use form::PageForm;
pub use login::{LoginPage, LoginReason};

pub(super) use form::{is_form, reauthenticate, sign_in, sign_out, step};

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::error::{Code, Error, ErrorKind, Refusal};
use crate::gate::{AuthBackend, Gate, PageTokens, Renewed, Running};
use crate::session::Occasion;
use crate::settings::{BindingMode, Consistency};
use crate::token::JwtClaims;

use super::cookie;
use super::extract::{
    CallerToken, HandedCaller, InHeader, Taken, all_cookies, credential, in_header, keep_cookies,
    place,
};
use super::mount::hide_refresh;
use super::transport::refresh_cookie;

use login::Asked;
use table::{Brought, Plan, row};

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
        Ok(Pages {
            gate: Arc::clone(gate),
            user: PhantomData,
        })
    }
}

/// The layer of [`Gate::pages`].
pub struct Pages<U: JwtClaims> {
    gate: Arc<Running>,
    user: PhantomData<fn() -> U>,
}

/// A service inside the layer of [`Gate::pages`].
pub struct PagesService<S, U: JwtClaims> {
    inner: S,
    gate: Arc<Running>,
    user: PhantomData<fn() -> U>,
}

impl<S, U: JwtClaims> Layer<S> for Pages<U> {
    type Service = PagesService<S, U>;

    fn layer(&self, inner: S) -> PagesService<S, U> {
        PagesService {
            inner,
            gate: Arc::clone(&self.gate),
            user: PhantomData,
        }
    }
}

impl<S, U> Service<Request> for PagesService<S, U>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    U: JwtClaims,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let next = self.inner.clone();
        // The one that was polled is the one that is ready.
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (mut parts, body) = request.into_parts();
        let Some(asked) = enter(&self.gate, &mut parts) else {
            return Box::pin(inner.call(Request::from_parts(parts, body)));
        };
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            let prepared = prepare(&gate, &HandOn::<U>(PhantomData), &mut parts, &asked).await;
            let (response, tokens) = match prepared {
                Prepared::Go(tokens) => {
                    let request = Request::from_parts(parts, body);
                    (inner.call(request).await?, tokens)
                }
                Prepared::Answer(response) => (response, None),
            };
            Ok(answer::finish(&gate, &asked, tokens.as_deref(), response))
        })
    }
}

impl<U: JwtClaims> Clone for Pages<U> {
    fn clone(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            user: PhantomData,
        }
    }
}

impl<S: Clone, U: JwtClaims> Clone for PagesService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            gate: Arc::clone(&self.gate),
            user: PhantomData,
        }
    }
}

impl<U: JwtClaims> fmt::Debug for Pages<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl<S, U: JwtClaims> fmt::Debug for PagesService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagesService")
    }
}

/// The treatment of a request before its handler.
enum Prepared {
    /// The handler runs; the tokens are for the answer's cookies.
    Go(Option<Arc<PageTokens>>),
    /// This is the answer.
    Answer(Response),
}

/// Hands callers on to the extractors, with the type of their claims.
trait Hand: Send + Sync {
    /// Hands on an access token that the browser sent, if it is valid.
    fn sent(
        &self,
        gate: &Arc<Running>,
        token: &str,
        asked: Option<Consistency>,
        parts: &mut Parts,
    ) -> Result<(), Refusal>;

    /// Hands on an access token that was issued for this request, if it is valid.
    fn minted<'a>(
        &'a self,
        gate: &'a Arc<Running>,
        token: &'a str,
        parts: &'a mut Parts,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>;
}

struct HandOn<U>(PhantomData<fn() -> U>);

impl<U: JwtClaims> Hand for HandOn<U> {
    fn sent(
        &self,
        gate: &Arc<Running>,
        token: &str,
        asked: Option<Consistency>,
        parts: &mut Parts,
    ) -> Result<(), Refusal> {
        let (admission, settings) = (gate.admission(), gate.settings());
        let verified = admission.verify::<U::Claims>(token, admission.now())?;
        let is_bound = settings.binding.access_network == BindingMode::Enforce;
        let place = is_bound.then_some(|| place(parts, settings));
        admission.admit_known(verified.token(), Occasion::entry(&verified), place)?;
        let caller = HandedCaller::new(gate, CallerToken::Sent(verified), asked);
        parts.extensions.insert(caller);
        Ok(())
    }

    fn minted<'a>(
        &'a self,
        gate: &'a Arc<Running>,
        token: &'a str,
        parts: &'a mut Parts,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>> {
        Box::pin(async move {
            let minted = gate.admission().admit_minted::<U::Claims>(token).await?;
            let asked = Some(gate.settings().revocation.consistency);
            let caller = HandedCaller::new(gate, CallerToken::Minted(minted), asked);
            parts.extensions.insert(caller);
            Ok(())
        })
    }
}

/// Notes what a request asks for, and takes the refresh cookie out of its headers. `None` if the
/// layer is not there for it: for the auth routes, and for requests with a token in a header.
fn enter(gate: &Running, parts: &mut Parts) -> Option<Asked> {
    let access = &gate.settings().access;
    let in_header = in_header(parts, &access.header, &access.schemes);
    if !matches!(in_header, Ok(None::<(&str, InHeader)>)) || is_auth_route(gate, path(parts)) {
        return None;
    }
    let asked = Asked::of(gate, parts);
    if asked.is_login {
        let page = LoginPage::of(gate, uri(parts));
        parts.extensions.insert(page);
    }
    hide_refresh(gate, parts);
    Some(asked)
}

/// Renews what is to be renewed before the handler runs.
async fn prepare(
    gate: &Arc<Running>,
    hand: &dyn Hand,
    parts: &mut Parts,
    asked: &Asked,
) -> Prepared {
    let settings = gate.settings();
    let brought = match live(gate, hand, parts).await {
        Ok(()) => Brought::Live,
        Err(Code::MissingToken | Code::TokenExpired | Code::InvalidToken) => Brought::Renewable,
        // Two credentials, another site, or nobody can decide: the extractor says so.
        Err(_) => return Prepared::Go(None),
    };
    let head = (&parts.method, &parts.uri, &parts.headers);
    let plan = row(head, &settings.cookies.origins, brought).plan();
    // A sign-in takes the place of what could be renewed.
    let signs_in = asked.is_login && !parts.method.is_safe() && asked.is_login_itself;
    if signs_in || plan == Plan::Leave {
        return Prepared::Go(None);
    }
    let Ok(Some(sent)) = refresh_cookie(gate, parts, all_cookies(parts)) else {
        return Prepared::Go(None);
    };
    let mut client = gate.client(parts);
    client.transport = crate::device::Transport::Cookie;
    let mut renewed = gate.renew_page(&sent.token, &client, sent.moves).await;
    let mut handed = hand_tokens(gate, hand, &renewed, parts).await;
    if matches!(&handed, Err(refusal) if refusal.code() == Code::InvalidToken) {
        // Claims changed, or somebody signed out, since another request renewed a moment ago.
        gate.forget_renewal(&sent.token, &client, &renewed);
        renewed = gate.renew_page(&sent.token, &client, sent.moves).await;
        handed = hand_tokens(gate, hand, &renewed, parts).await;
    }
    let refused = match (handed, renewed) {
        (Ok(()), Renewed::Tokens(tokens)) => {
            if plan == Plan::Redirect && tokens.is_new && asked.may_redirect(gate, parts) {
                return Prepared::Answer(answer::redirect(gate, asked, &tokens));
            }
            if parts.method.is_safe() {
                forget_conditions(parts);
            }
            return Prepared::Go(Some(tokens));
        }
        (Err(refusal), _) if refusal.code() != Code::InvalidToken => {
            (refusal.code(), refusal.retry_in())
        }
        (_, Renewed::Refused(code, retry)) => (code, retry),
        _ => {
            hide_dead(gate, parts);
            return Prepared::Go(None);
        }
    };
    Prepared::Answer(answer::refused(gate, asked, refused))
}

/// Hands on the caller of a valid access cookie.
async fn live(gate: &Arc<Running>, hand: &dyn Hand, parts: &mut Parts) -> Result<(), Code> {
    let code = |refusal: Refusal| refusal.code();
    let found = credential(parts, gate, Taken::Cookie).map_err(code)?;
    let Some((token, _)) = found else {
        return Err(Code::MissingToken);
    };
    let token = token.to_owned();
    let (admission, consistency) = (gate.admission(), gate.settings().revocation.consistency);
    let now = admission.now();
    let must_ask = admission.must_ask(consistency, now);
    if must_ask {
        admission.ask(consistency, now).await.map_err(code)?;
    }
    let asked = must_ask.then_some(consistency);
    hand.sent(gate, &token, asked, parts).map_err(code)
}

/// Hands on the caller of tokens that were issued for this request.
async fn hand_tokens(
    gate: &Arc<Running>,
    hand: &dyn Hand,
    renewed: &Renewed,
    parts: &mut Parts,
) -> Result<(), Refusal> {
    match renewed {
        Renewed::Tokens(tokens) => hand.minted(gate, &tokens.issued.access_token, parts).await,
        Renewed::Nobody | Renewed::Refused(..) => Ok(()),
    }
}

/// Removes the access cookie of somebody who is not signed in from the headers: the request
/// continues without a caller.
fn hide_dead(gate: &Running, parts: &mut Parts) {
    keep_cookies(&parts.headers, &mut parts.extensions);
    cookie::hide(&mut parts.headers, &[&gate.cookies.access]);
}

/// Takes out the conditions of a request whose answer sets cookies: what the browser keeps of the
/// page may be somebody else's.
fn forget_conditions(parts: &mut Parts) {
    if parts.headers.contains_key(IF_RANGE) {
        parts.headers.remove(RANGE);
    }
    for name in [
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
        IF_RANGE,
    ] {
        parts.headers.remove(name);
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
