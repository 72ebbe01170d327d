//! How the tokens of the auth routes travel: in bodies, or in cookies where those are on.

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde::Deserialize;

use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::gate::Running;
use crate::id::SessionId;
use crate::session::Issued;
use crate::settings::CookieSettings;

use super::answer::{AccessOnly, Tokens, private};
use super::body::{has_member, member, parse};
use super::cookie::{self, DeviceCookie, REFRESH};
use super::extract::address;

/// The settings, where cookies are on.
pub(super) fn cookies(gate: &Running) -> Option<&CookieSettings> {
    Some(&gate.settings().cookies).filter(|cookies| cookies.path.is_some())
}

/// Refuses a request of another origin before anything of it is read: signing somebody in as
/// somebody else is an attack too.
pub(super) fn from_here(gate: &Running, request: &Request) -> Result<(), Refusal> {
    match cookies(gate) {
        Some(settings) => {
            let checked = cookie::check(
                request.method(),
                request.uri(),
                request.headers(),
                &settings.origins,
            );
            checked.inspect_err(|refusal| {
                let settings = &gate.settings().client;
                let ip = address(request.headers(), request.extensions(), settings);
                gate.report(&Event::new(EventKind::AccessRefused(refusal.code())).ip(ip));
            })
        }
        None => Ok(()),
    }
}

/// The same for requests that bring a cookie of ours: without one, nothing is done that a page of
/// another origin could not do.
pub(super) fn from_here_with_cookies(gate: &Running, request: &Request) -> Result<(), Refusal> {
    let brings = |name| cookie::find(request.headers(), name).map_or(true, |found| found.is_some());
    if cookies(gate).is_some() && (brings(&gate.cookies.access) || brings(REFRESH)) {
        from_here(gate, request)
    } else {
        Ok(())
    }
}

/// How a sign-in wants its tokens: the member `transport` of its body, `cookie` unless it says
/// `body`.
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

/// The sessions of the cookies that a sign-in presents: it takes their place (R98). What is none of
/// ours names none.
pub(super) async fn presented(
    gate: &Running,
    headers: &HeaderMap,
) -> Result<Vec<SessionId>, Refusal> {
    let mut sessions = Vec::new();
    if let Ok(Some(token)) = cookie::find(headers, REFRESH) {
        sessions.extend(gate.flows().session_of_refresh(token).await?);
    }
    if let Ok(Some(token)) = cookie::find(headers, &gate.cookies.access) {
        sessions.extend(
            gate.flows()
                .session_of_bearer(token)
                .filter(|sid| !sessions.contains(sid)),
        );
    }
    Ok(sessions)
}

/// The refresh token of a request, and how it came. Two of them are refused (R104).
pub(super) fn refresh_token(
    gate: &Running,
    parts: &Parts,
    body: Option<&Bytes>,
) -> Result<(String, Transport), Refusal> {
    let name = gate.routes.refresh_token;
    let cookie = match cookies(gate) {
        Some(_) => cookie::find(&parts.headers, REFRESH)?,
        None => None,
    };
    match (cookie, body) {
        (Some(_), Some(body)) if has_member(body, name) => Err(Code::InvalidRequest.into()),
        (Some(token), _) => Ok((token.to_owned(), Transport::Cookie)),
        (None, Some(body)) if cookies(gate).is_none() || has_member(body, name) => {
            Ok((member(body, name)?, Transport::Bearer))
        }
        (None, _) => Err(Code::MissingToken.into()),
    }
}

/// Both tokens of a sign-in or a refresh.
pub(super) fn answer(gate: &Running, issued: &Issued, transport: Transport) -> Response {
    let mut response = private(Tokens {
        issued,
        routes: gate.routes,
        transport,
    });
    if let (Transport::Cookie, Some(settings)) = (transport, cookies(gate)) {
        cookie::set(response.headers_mut(), issued, settings, &gate.cookies);
    }
    response
}

/// Both tokens of a sign-in, and the cookie by which its device is known again.
pub(super) fn answer_sign_in(
    gate: &Running,
    issued: &Issued,
    transport: Transport,
    device: Option<&DeviceCookie>,
) -> Response {
    let mut response = answer(gate, issued, transport);
    if let (Some(device), Some(settings)) = (device, cookies(gate)) {
        cookie::set_device(response.headers_mut(), device, settings, &gate.cookies);
    }
    response
}

/// Returns the device cookie that a request brings, where cookies are on.
pub(super) fn known_device(gate: &Running, headers: &HeaderMap) -> Option<DeviceCookie> {
    cookies(gate).and_then(|_| DeviceCookie::in_request(headers, &gate.cookies.device))
}

/// An access token for a session that goes on.
pub(super) fn answer_access(gate: &Running, access: &AccessOnly<'_>) -> Response {
    let mut response = private(access);
    if let (Transport::Cookie, Some(settings)) = (access.transport, cookies(gate)) {
        cookie::set_access(
            response.headers_mut(),
            &access.renewed.access_token,
            access.renewed.expires_in,
            settings,
            &gate.cookies,
        );
    }
    response
}

/// Clears the cookies of whoever signed out.
pub(super) fn signed_out(gate: &Running, transport: Transport, mut response: Response) -> Response {
    if let (Transport::Cookie, Some(settings)) = (transport, cookies(gate)) {
        cookie::clear(response.headers_mut(), settings, &gate.cookies);
    }
    response
}
