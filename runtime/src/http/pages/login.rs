//! Redirects a visitor who has to sign in to the login page, and tells that page why.

use std::fmt;

use axum::extract::FromRequestParts;
use http::header::{HOST, REFERER};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};

use crate::error::{Code, Refusal};
use crate::gate::Running;

use super::super::cookie;
use super::super::next::safe_next_of;
use super::super::problem::Rejection;
use super::signals::Signals;
use super::{is_get, uri};

/// The parts of a request that its answer needs.
pub(super) struct Asked {
    /// Path and query, as the browser sees them.
    target: Option<PathAndQuery>,
    /// The headers that say which page the request comes from, if it is not a page itself.
    from: Option<Box<PageBefore>>,
    pub(super) is_get: bool,
    /// `true` if the browser shows the answer as a page or in a frame.
    pub(super) is_navigation: bool,
    /// `true` if it asks for the login page, or for a page below it.
    pub(super) is_login: bool,
    /// `true` if it asks for the login page itself.
    pub(super) is_login_itself: bool,
    /// `true` if the request has a cookie with a token.
    pub(super) brings_cookies: bool,
    /// `true` if the gate knows the caller.
    pub(super) has_caller: bool,
    /// `true` if the browser prefetches.
    pub(super) is_prefetch: bool,
}

/// The headers that say which page a form or a script is on.
struct PageBefore {
    host: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    /// `HX-Current-URL` of a request that a script of htmx sent.
    htmx: Option<Option<HeaderValue>>,
}

impl Asked {
    /// Reads these parts of a request. Whether it asks for the login page, and whether it has
    /// cookies, is for the caller to say.
    pub(super) fn of(parts: &Parts, signals: Signals) -> Self {
        let is_get = is_get(&parts.method);
        // A page that its visitor opens says itself where to return.
        let is_page = is_get && !signals.is_htmx;
        Self {
            target: uri(parts).path_and_query().cloned(),
            from: (!is_page).then(|| Box::new(PageBefore::of(parts, signals))),
            is_get,
            is_navigation: signals.is_navigation,
            is_login: false,
            is_login_itself: false,
            brings_cookies: false,
            has_caller: false,
            is_prefetch: signals.is_prefetch,
        }
    }

    /// Returns whether somebody reads the answer at once.
    pub(super) fn is_shown(&self) -> bool {
        self.is_navigation && !self.is_prefetch
    }

    /// Returns path and query.
    pub(super) fn target(&self) -> &str {
        self.target.as_ref().map_or("/", |target| target.as_str())
    }

    /// Returns whether a redirection to the same address is safe, and would not go in a circle.
    pub(super) fn may_redirect(&self, gate: &Running, parts: &Parts) -> bool {
        let target = self.target();
        let is_plain = target.starts_with('/') && !target.starts_with("//");
        is_plain
            && !target.contains('\\')
            && target.len() <= MOST_TARGET
            && !cookie::has(&parts.headers, &gate.cookies.renewed)
    }

    /// Returns the next page of a refused visitor, and whether htmx has to open it; `None` if the
    /// refusal is the answer.
    pub(super) fn way_out(&self, gate: &Running, code: Code) -> Option<WayOut> {
        let login = gate.login()?;
        // A login page may send visitors back whose access token is valid. This one was refused in
        // spite of it, as a user whose account is closed, so the page has to know.
        let known = self.has_caller.then_some(LoginReason::Expired);
        let reason = match code {
            Code::InsufficientUserAuthentication => Some(LoginReason::Fresh),
            Code::InvalidCredentials => Some(LoginReason::Refused),
            _ => known,
        };
        let from = self.from.as_deref();
        if let Some(from) = from
            && let Some(current) = &from.htmx
        {
            let next = current.as_ref().and_then(|url| from.path_of(url));
            let next = next.unwrap_or("/");
            return Some(WayOut::Htmx(address(gate, login, reason, Some(next))));
        }
        if !self.is_navigation || (self.is_get && self.is_login_itself) {
            return None;
        }
        Some(WayOut::Page(if self.is_get {
            address(gate, login, reason, Some(self.target()))
        } else {
            let next = from.and_then(|from| from.path_of(from.referer.as_ref()?));
            let reason = reason.unwrap_or(LoginReason::Expired);
            address(gate, login, Some(reason), next)
        }))
    }
}

impl PageBefore {
    fn of(parts: &Parts, signals: Signals) -> Self {
        let headers = &parts.headers;
        Self {
            host: match parts.uri.authority() {
                Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
                None => headers.get(HOST).cloned(),
            },
            referer: headers.get(REFERER).cloned(),
            htmx: signals
                .is_htmx
                .then(|| headers.get("hx-current-url").cloned()),
        }
    }

    /// Returns path and query of an address of this origin.
    fn path_of<'u>(&self, url: &'u HeaderValue) -> Option<&'u str> {
        let (_, rest) = url.to_str().ok()?.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let is_here = self.host.as_ref().is_some_and(|own| own == host);
        let path = path.split('#').next().unwrap_or_default();
        is_here.then_some(if path.starts_with('/') { path } else { "/" })
    }
}

/// The next page of a refused visitor.
pub(super) enum WayOut {
    /// The browser is redirected.
    Page(String),
    /// htmx opens another page.
    Htmx(String),
}

/// Returns the address of the login page, or of one below it.
pub(super) fn address(
    gate: &Running,
    page: &str,
    reason: Option<LoginReason>,
    next: Option<&str>,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(reason) = reason {
        query.append_pair("reason", reason.as_str());
    }
    if let Some(next) = next {
        query.append_pair("next", safe_next_of(gate, next));
    }
    let query = query.finish();
    if query.is_empty() {
        page.to_owned()
    } else {
        format!("{page}?{query}")
    }
}

/// The reason why a visitor comes to the login page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginReason {
    /// Their session ended while they sent a form; or the page refused them although their access
    /// token is valid, as that of a user whose account was closed a moment ago.
    Expired,
    /// They are signed in, and have to authenticate again: the form of the page goes to
    /// [`PageForm::Reauthenticate`](super::PageForm::Reauthenticate).
    Fresh,
    /// The credentials or the code that they sent are wrong.
    Refused,
    /// The credentials of the reauthentication are wrong; otherwise as [`Fresh`](Self::Fresh).
    FreshRefused,
}

impl LoginReason {
    /// Returns the value of the parameter `reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Fresh => "fresh",
            Self::Refused => "refused",
            Self::FreshRefused => "fresh-refused",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            Self::Expired,
            Self::Fresh,
            Self::Refused,
            Self::FreshRefused,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }

    /// Returns whether the visitor is signed in, and has to authenticate again.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh | Self::FreshRefused)
    }
}

/// An argument for the handler of the login page, or of a page below it: the reason why its visitor
/// comes, and the page to which they return.
#[derive(Clone, Debug)]
pub struct LoginPage {
    reason: Option<LoginReason>,
    next: String,
}

impl LoginPage {
    /// Returns the reason why the visitor comes; `None` if they only have to sign in, and for an
    /// unknown text.
    #[must_use]
    pub const fn reason(&self) -> Option<LoginReason> {
        self.reason
    }

    /// Returns the page to which the visitor returns: a path of this origin, outside the auth
    /// routes and the login page. Write it into the field `next` of the form.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.next
    }

    /// Reads the query of an address.
    pub(super) fn of(gate: &Running, uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        let next = value("next").unwrap_or_default();
        Self {
            reason: value("reason").and_then(|reason| LoginReason::parse(&reason)),
            next: safe_next_of(gate, &next).to_owned(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LoginPage {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let page = parts.extensions.get::<Self>().cloned();
        page.ok_or_else(|| {
            Rejection::from(Refusal::internal(
                "a handler takes `LoginPage`, and is not below the path of `gate.pages`, or \
                 outside its layer",
            ))
        })
    }
}

impl fmt::Display for LoginReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The longest path and query that a page is redirected to, in bytes.
const MOST_TARGET: usize = 4096;
