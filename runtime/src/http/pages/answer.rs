//! The answers of the layer: their cookies, redirections and cache headers.

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::{Code, Refusal};
use crate::gate::{PageTokens, Running};

use super::super::cookie;
use super::super::problem::{Unauthorized, no_store, replace_document, undecided};
use super::form::keep_step;
use super::html;
use super::login::{Asked, WayOut};
use super::renew::Renewal;
use super::{reject, see_other};

/// Returns a redirection.
pub(super) fn to(status: StatusCode, location: &str) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Returns a redirection of a page to itself, with both cookies. They reach the browser before
/// anything slow runs, and the request that follows says that they did.
pub(super) fn redirect(gate: &Running, asked: &Asked, tokens: &PageTokens) -> Response {
    let mut response = to(StatusCode::TEMPORARY_REDIRECT, asked.target());
    let headers = response.headers_mut();
    cookie::set(headers, &tokens.issued, tokens.moves, gate);
    cookie::set_renewed(headers, gate);
    response
}

/// Returns the answer to a request that cannot be renewed at the moment: never the login page, and
/// never the page of a signed-out visitor.
pub(super) fn refused(gate: &Running, asked: &Asked, refusal: Refusal) -> Response {
    if asked.is_navigation {
        html::refused(&refusal, asked.is_get)
    } else {
        reject(gate, refusal)
    }
}

/// Finishes an answer: redirects a refused visitor to the login page, sets the cookies, and sets
/// the cache headers. A problem that will pass is shown as a page.
pub(super) fn finish(
    gate: &Running,
    asked: &Asked,
    renewal: Option<&Renewal>,
    response: Response,
) -> Response {
    let mut response = lead(gate, asked, response);
    show(gate, asked, &mut response);
    let headers = response.headers_mut();
    if let Some(renewal) = renewal {
        set_cookies(gate, headers, renewal);
    }
    if asked.brings_cookies {
        keep_from_caches(headers);
    }
    response
}

/// Does the same for a request whose access cookie is valid, which needs no cookies.
pub(super) fn finish_live(gate: &Running, asked: &Asked, response: &mut Response) {
    if response.extensions().get::<Unauthorized>().is_some() {
        let refused = std::mem::take(response);
        *response = lead(gate, asked, refused);
    }
    show(gate, asked, response);
    keep_from_caches(response.headers_mut());
}

/// Redirects a visitor whom the gate refused to the login page.
fn lead(gate: &Running, asked: &Asked, mut response: Response) -> Response {
    // The pages of another gate, further out, answer for its visitors.
    let marks = response.extensions_mut();
    if !matches!(marks.get::<Unauthorized>(), Some(refused) if refused.is_for(&gate.scheme)) {
        return response;
    }
    let Some(refused) = marks.remove::<Unauthorized>() else {
        return response;
    };
    if asked.is_prefetch {
        // The browser may show the answer minutes later, after the user has signed in.
        return reject(gate, Refusal::new(Code::Unavailable).expected());
    }
    if let (Some(step), true) = (&refused.step, asked.is_navigation) {
        let next = asked.is_get.then(|| asked.target());
        return keep_step(gate, step, (false, None), next);
    }
    match asked.way_out(gate, refused.code) {
        Some(WayOut::Page(address)) => {
            let mut led = see_other(&address);
            // A handler may clear a cookie of its own.
            for line in response.headers().get_all(SET_COOKIE) {
                led.headers_mut().append(SET_COOKIE, line.clone());
            }
            led
        }
        Some(WayOut::Htmx(address)) => {
            if let Ok(address) = HeaderValue::try_from(address) {
                response.headers_mut().insert(HX_REDIRECT, address);
            }
            response
        }
        None => response,
    }
}

/// Shows a visitor a page where the gate could not decide, or a handler said so.
fn show(gate: &Running, asked: &Asked, response: &mut Response) {
    let passes = matches!(
        response.status(),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    );
    if passes
        && asked.is_shown()
        && let Some(refusal) = undecided(response, &gate.scheme)
    {
        let page = html::refused(refusal, asked.is_get);
        replace_document(response, page);
    }
}

/// Sets the cookies of a renewal, unless the answer comes too late for them, or signs somebody in or
/// out itself, or the session is over.
fn set_cookies(gate: &Running, headers: &mut HeaderMap, renewal: &Renewal) {
    let tokens = &*renewal.tokens;
    if sets(headers, &gate.cookies.refresh) {
        return;
    }
    if tokens.is_late(gate.admission().now()) || renewal.is_over(gate) {
        // An access token of this renewal would say that the browser has its refresh token, too.
        let kept: Vec<HeaderValue> = headers
            .get_all(SET_COOKIE)
            .iter()
            .filter(|line| !is_of(line, &gate.cookies.access))
            .cloned()
            .collect();
        headers.remove(SET_COOKIE);
        for line in kept {
            headers.append(SET_COOKIE, line);
        }
    } else if sets(headers, &gate.cookies.access) {
        cookie::set_refresh(headers, &tokens.issued, tokens.moves, gate);
    } else {
        cookie::set(headers, &tokens.issued, tokens.moves, gate);
    }
}

/// Returns whether an answer sets or clears a cookie.
fn sets(headers: &HeaderMap, name: &str) -> bool {
    headers
        .get_all(SET_COOKIE)
        .iter()
        .any(|line| is_of(line, name))
}

fn is_of(line: &HeaderValue, name: &str) -> bool {
    line.as_bytes()
        .strip_prefix(name.as_bytes())
        .is_some_and(|rest| rest.starts_with(b"="))
}

/// Keeps caches from giving a page to somebody else.
fn keep_from_caches(headers: &mut HeaderMap) {
    let said = CacheHeaders::of(headers);
    if !said.varies {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
    if said.sets_cookies || !said.is_private() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// What an answer tells caches.
#[derive(Default)]
struct CacheHeaders {
    /// `true` if the answer depends on the cookies of its request.
    varies: bool,
    sets_cookies: bool,
    /// `true` if no shared cache may keep it.
    is_kept_back: bool,
    is_public: bool,
}

impl CacheHeaders {
    /// Reads the headers in one pass: an answer has few of them.
    fn of(headers: &HeaderMap) -> Self {
        let words = |line: &HeaderValue, is: &dyn Fn(&[u8]) -> bool| {
            let words = line.as_bytes().split(|byte| *byte == b',');
            words.map(<[u8]>::trim_ascii).any(is)
        };
        let mut said = Self::default();
        for (name, line) in headers {
            if *name == VARY {
                said.varies |= words(line, &|name| {
                    name == b"*" || name.eq_ignore_ascii_case(b"cookie")
                });
            } else if *name == CACHE_CONTROL {
                said.is_kept_back |= words(line, &|word| {
                    word.eq_ignore_ascii_case(b"private") || word.eq_ignore_ascii_case(b"no-store")
                });
                said.is_public |= words(line, &|word| word.eq_ignore_ascii_case(b"public"));
            } else if *name == SET_COOKIE {
                said.sets_cookies = true;
            }
        }
        said
    }

    /// Returns whether the answer says itself that no shared cache may keep it.
    const fn is_private(&self) -> bool {
        self.is_kept_back && !self.is_public
    }
}

/// Returns an answer of HTML with a status, which no cache keeps.
pub(super) fn page(status: StatusCode, retry: Option<u64>, html: String) -> Response {
    let mut response = (status, axum::response::Html(html)).into_response();
    let headers = response.headers_mut();
    no_store(headers);
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    if let Some(seconds) = retry {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");
