//! The ways in which the tokens of the auth routes travel: in bodies, or in cookies where those are
//! on.

use std::net::IpAddr;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{HeaderName, ORIGIN};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use serde::Deserialize;

use crate::device::Transport;
use crate::error::{Code, Malformed, Refusal};
use crate::event::{Event, EventKind};
use crate::gate::Running;
use crate::id::SessionId;
use crate::session::Issued;
use crate::settings::CookieSettings;

use super::answer::{AccessOnly, Tokens, private};
use super::body::{has_member, member, parse};
use super::cookie::{self, DeviceCookie};
use super::extract::{address, all_cookies, cookies_of};

/// Returns the settings of cookies, where they are on.
pub(super) fn cookies(gate: &Running) -> Option<&CookieSettings> {
    Some(&gate.settings().cookies).filter(|cookies| cookies.path.is_some())
}

/// Refuses a request of another origin before it is read: to sign a user in as another one is an
/// attack too.
pub(super) fn from_here(gate: &Running, request: &Request) -> Result<(), Refusal> {
    let target = (request.method(), request.uri());
    check_origin(gate, target, request.headers(), request.extensions())
}

/// Does the same for the parts of a request.
pub(super) fn check_origin(
    gate: &Running,
    (method, uri): (&Method, &Uri),
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<(), Refusal> {
    let Some(settings) = cookies(gate) else {
        return Ok(());
    };
    cookie::check(method, uri, headers, &settings.origins).inspect_err(|refusal| {
        let ip = address(headers, extensions, &gate.settings().client);
        gate.report(&Event::new(EventKind::AccessRefused(refusal.code())).ip(ip));
    })
}

/// Does the same for requests that bring a cookie of the gate: without one, the request can do only
/// what a page of another origin can do in any case.
pub(super) fn from_here_with_cookies(gate: &Running, request: &Request) -> Result<(), Refusal> {
    let cookies = cookies_of(request.headers(), request.extensions());
    if brings_cookies(gate, cookies) {
        from_here(gate, request)
    } else {
        Ok(())
    }
}

/// Returns whether a request brings a cookie of a token that is accepted here.
pub(super) fn brings_cookies(gate: &Running, headers: &HeaderMap) -> bool {
    let names = [
        Some(&*gate.cookies.access),
        Some(&*gate.cookies.refresh),
        former(gate),
    ];
    let is_there = |name: &str| cookie::has(headers, name);
    cookies(gate).is_some() && names.into_iter().flatten().any(is_there)
}

/// Returns the former name of the refresh cookie, where it is accepted.
fn former(gate: &Running) -> Option<&'static str> {
    gate.refresh_cookie()
        .former_that_counts(gate.admission().now())
}

/// Reports that a cookie with the former name was accepted, where the gate writes the other name.
fn report_former(gate: &Running, client: Option<IpAddr>) {
    if !gate.refresh_cookie().writes_former() {
        gate.report(&Event::new(EventKind::FormerRefreshCookie).ip(client));
    }
}

/// Returns the way in which the tokens of a handler's answer travel. A browser gets them in
/// cookies, which no script reads, unless its page asks for the body. That wish is ignored where
/// the browser brought a cookie of the gate, since the page may have no right to the tokens of its
/// session.
pub(super) fn transport_of(
    gate: &Running,
    headers: &HeaderMap,
    cookie_lines: &HeaderMap,
) -> Result<Transport, Refusal> {
    let mut wishes = headers.get_all(TRANSPORT).iter();
    let wants_body = match (wishes.next(), wishes.next()) {
        (None, _) => false,
        (Some(wish), None) if wish.as_bytes() == b"body" => true,
        _ => return Err(Malformed::UnfitHeader("Tollgate-Transport").into()),
    };
    if cookies(gate).is_none() {
        return Ok(Transport::Bearer);
    }
    let brings_ours = gate
        .cookies
        .all()
        .into_iter()
        .chain(gate.refresh_cookie().former())
        .any(|name| cookie::has(cookie_lines, name));
    let is_browser = headers.contains_key(SEC_FETCH_MODE) || headers.contains_key(ORIGIN);
    Ok(if brings_ours || (is_browser && !wants_body) {
        Transport::Cookie
    } else {
        Transport::Bearer
    })
}

/// Returns the way in which a sign-in asks for its tokens: the member `transport` of its body, by
/// default `cookie`, otherwise `body`.
pub(super) fn wanted(gate: &Running, bytes: &[u8]) -> Result<Transport, Refusal> {
    #[derive(Deserialize)]
    struct Wish {
        #[serde(default)]
        transport: Word,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        #[default]
        Cookie,
        Body,
    }
    if cookies(gate).is_none() {
        return Ok(Transport::Bearer);
    }
    let Wish { transport } = parse(bytes)?;
    Ok(match transport {
        Word::Cookie => Transport::Cookie,
        Word::Body => Transport::Bearer,
    })
}

/// Returns the sessions of the cookies that a request presents, under every name, also of cookies
/// that come twice: a sign-in replaces them (R98), and signing out ends them. A value that the gate
/// did not issue names no session.
pub(super) async fn presented(
    gate: &Running,
    headers: &HeaderMap,
) -> Result<Vec<SessionId>, Refusal> {
    let mut sessions = Vec::new();
    let add = |sid: Option<SessionId>, sessions: &mut Vec<SessionId>| {
        sessions.extend(sid.filter(|sid| !sessions.contains(sid)));
    };
    for name in [Some(&*gate.cookies.refresh), former(gate)] {
        let Some(name) = name else { continue };
        for token in cookie::find_all(headers, name) {
            add(gate.flows().session_of_refresh(token).await?, &mut sessions);
        }
    }
    for token in cookie::find_all(headers, &gate.cookies.access) {
        add(gate.flows().session_of_bearer(token), &mut sessions);
    }
    Ok(sessions)
}

/// Ends every session of a browser's cookies. All of them are looked up before one ends, so that a
/// failure leaves everything as it is.
pub(super) async fn sign_out_presented(
    gate: &Running,
    headers: &HeaderMap,
    client: Option<IpAddr>,
) -> Result<(), Refusal> {
    let sessions = presented(gate, headers).await?;
    gate.flows().sign_out_sessions(&sessions).await?;
    if former(gate).is_some_and(|name| cookie::has(headers, name)) {
        report_former(gate, client);
    }
    Ok(())
}

/// A refresh token, and the way in which it came.
pub(super) struct SentRefresh {
    pub(super) token: String,
    pub(super) transport: Transport,
    /// `true` if its cookie moves to the name that the gate writes.
    pub(super) moves: bool,
}

/// Returns the refresh token of a request, and the way in which it came. Two of them are refused
/// (R104): one may have been set by another page, and would sign its user in. If both names come,
/// the new one decides, because no other page can set it.
pub(super) fn refresh_token(
    gate: &Running,
    parts: &Parts,
    body: Option<&Bytes>,
) -> Result<SentRefresh, Refusal> {
    let name = gate.routes.refresh_token;
    let cookie = match cookies(gate) {
        Some(_) => refresh_cookie(gate, parts, all_cookies(parts))?,
        None => None,
    };
    match (cookie, body) {
        (Some(_), Some(body)) if has_member(body, name) => Err(Malformed::TwoCredentials.into()),
        (Some(cookie), _) => Ok(cookie),
        (None, Some(body)) if cookies(gate).is_none() || has_member(body, name) => {
            Ok(SentRefresh {
                token: member(body, name)?,
                transport: Transport::Bearer,
                moves: false,
            })
        }
        (None, _) => Err(Code::MissingToken.into()),
    }
}

/// Returns the refresh token among the cookies of a request.
pub(super) fn refresh_cookie(
    gate: &Running,
    parts: &Parts,
    cookie_lines: &HeaderMap,
) -> Result<Option<SentRefresh>, Refusal> {
    let (headers, rule) = (cookie_lines, gate.refresh_cookie());
    let sent = |token: &str, moves| SentRefresh {
        token: token.to_owned(),
        transport: Transport::Cookie,
        moves,
    };
    if let Some(token) = cookie::find_same(headers, &gate.cookies.refresh)? {
        let has_former = rule.former().is_some_and(|name| cookie::has(headers, name));
        return Ok(Some(sent(token, rule.writes_former() || has_former)));
    }
    let Some(name) = former(gate) else {
        return Ok(None);
    };
    let Some(token) = cookie::find_same(headers, name)? else {
        return Ok(None);
    };
    report_former(
        gate,
        address(&parts.headers, &parts.extensions, &gate.settings().client),
    );
    Ok(Some(sent(token, !rule.writes_former())))
}

/// Returns the answer with the tokens of a refresh. `moves` says whether the refresh cookie moves
/// to the name that the gate writes.
pub(super) fn answer(
    gate: &Running,
    issued: &Issued,
    transport: Transport,
    moves: bool,
) -> Response {
    let tokens = Tokens {
        issued,
        routes: gate.routes,
        transport,
        members: issued.own.as_ref(),
        answers_refresh: gate.settings().refresh.answer_token,
    };
    answer_tokens(gate, &tokens, moves)
}

fn answer_tokens(gate: &Running, tokens: &Tokens<'_>, moves: bool) -> Response {
    let mut response = private(tokens);
    if let (Transport::Cookie, Some(_)) = (tokens.transport, cookies(gate)) {
        cookie::set(response.headers_mut(), tokens.issued, moves, gate);
    }
    response
}

/// Returns the answer with both tokens of a sign-in, and the cookie by which its device is known
/// again.
pub(super) fn answer_sign_in(
    gate: &Running,
    issued: &Issued,
    transport: Transport,
    device: Option<&DeviceCookie>,
) -> Response {
    let tokens = Tokens {
        issued,
        routes: gate.routes,
        transport,
        members: issued.own.as_ref(),
        answers_refresh: true,
    };
    let mut response = answer_tokens(gate, &tokens, false);
    if let (Some(device), Some(_)) = (device, cookies(gate)) {
        cookie::set_device(response.headers_mut(), device, gate);
    }
    response
}

/// Returns the device cookie that a request brings, where cookies are on.
pub(super) fn known_device(gate: &Running, headers: &HeaderMap) -> Option<DeviceCookie> {
    cookies(gate).and_then(|_| DeviceCookie::in_request(headers, &gate.cookies.device))
}

/// Returns the answer with an access token for a session that goes on.
pub(super) fn answer_access(gate: &Running, access: &AccessOnly<'_>) -> Response {
    let mut response = private(access);
    if let (Transport::Cookie, Some(_)) = (access.transport, cookies(gate)) {
        cookie::set_access(
            response.headers_mut(),
            &access.renewed.access_token,
            (!access.renewed.is_brief).then_some(access.renewed.expires_in),
            gate,
        );
    }
    response
}

/// Clears every cookie of the gate, because the account was closed.
pub(super) fn closed(gate: &Running, mut response: Response) -> Response {
    if cookies(gate).is_some() {
        cookie::clear_all(response.headers_mut(), gate);
    }
    forget_pages(gate, response)
}

/// The header by which a request asks for its tokens in the body.
const TRANSPORT: HeaderName = HeaderName::from_static("tollgate-transport");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Clears the cookies of a browser that signed out.
pub(super) fn signed_out(gate: &Running, transport: Transport, mut response: Response) -> Response {
    if let (Transport::Cookie, Some(_)) = (transport, cookies(gate)) {
        cookie::clear(response.headers_mut(), gate);
    }
    forget_pages(gate, response)
}

/// Tells a browser to discard the pages that it keeps, so that its back button does not show them
/// to the next person. `Clear-Site-Data` does not cover the page with the sign-out button, because
/// the browser keeps that page only after it has read the header; the cookie does.
fn forget_pages(gate: &Running, mut response: Response) -> Response {
    if gate.has_pages() {
        let cache = HeaderValue::from_static("\"cache\"");
        response.headers_mut().insert(CLEAR_SITE_DATA, cache);
        cookie::set_renewed(response.headers_mut(), gate);
    }
    response
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
