//! The access token of a request: in a header, or in a cookie.

use std::cell::Cell;

use http::header::AUTHORIZATION;
use http::request::Parts;

use super::super::cookie;
use super::client::address;
use super::subprotocol;
use crate::device::Transport;
use crate::error::{Code, Malformed, Refusal};
use crate::event::{Event, EventKind};
use crate::gate::Running;
use crate::session::Place;
use crate::settings::Settings;
use crate::token::TokenInfo;

/// Reports that the credentials of a request were refused.
pub(super) fn report_refused(gate: &Running, parts: &Parts, refusal: &Refusal) {
    if refusal.is_expected() {
        return;
    }
    if refusal.code() == Code::TokenExpired
        && !EXPIRED.with(|seen| sampled(seen, gate.settings().events.expired))
    {
        return;
    }
    let settings = &gate.settings().client;
    let ip = address(&parts.headers, &parts.extensions, settings);
    gate.report(&Event::new(EventKind::AccessRefused(refusal.code())).ip(ip));
}

/// Reports one in so many accepted requests.
pub(super) fn report_accepted(gate: &Running, parts: &Parts, token: &TokenInfo) {
    let one_in = gate.settings().events.accepted;
    if one_in == 0 || !ACCEPTED.with(|seen| sampled(seen, one_in)) {
        return;
    }
    let settings = &gate.settings().client;
    let ip = address(&parts.headers, &parts.extensions, settings);
    let event = Event::new(EventKind::AccessAccepted { one_in }).ip(ip);
    let event = event.subject(token.subject());
    gate.report(&match token.sid() {
        Some(sid) => event.sid(sid),
        None => event,
    });
}

thread_local! {
    // Each thread counts by itself: no count is changed by all cores.
    static ACCEPTED: Cell<u32> = const { Cell::new(0) };
    static EXPIRED: Cell<u32> = const { Cell::new(0) };
}

/// Counts, and returns whether this is one in so many.
fn sampled(seen: &Cell<u32>, one_in: u32) -> bool {
    let count = seen.get().wrapping_add(1);
    let is_due = one_in != 0 && count >= one_in;
    seen.set(if is_due { 0 } else { count });
    is_due
}

/// Returns the access token of a request, and where it was. A header and a cookie together are two
/// credentials (R104); a cookie is accepted only from a page that may use it (R108).
pub(in crate::http) fn credential<'a>(
    parts: &'a Parts,
    gate: &Running,
    taken: Taken,
) -> Result<Option<(&'a str, Transport)>, Refusal> {
    let settings = gate.settings();
    let header = match taken {
        Taken::Both | Taken::Bearer => {
            let access = &settings.access;
            in_header(parts, &access.header, &access.schemes)?
        }
        Taken::Cookie => None,
    };
    // Beside a protocol with a token the cookie is ignored: browsers send it in any case, and the
    // page chose the token.
    let is_protocol = matches!(header, Some((_, InHeader::Protocol)));
    let header = header.map(|(token, _)| token);
    let cookie = match (taken, &settings.cookies.path) {
        (Taken::Bearer, _) | (_, None) => None,
        (Taken::Both, Some(_)) if is_protocol => None,
        (Taken::Both | Taken::Cookie, Some(_)) => {
            cookie::find(&parts.headers, &gate.cookies.access)?
        }
    };
    match (header, cookie) {
        (Some(_), Some(_)) => Err(Malformed::TwoCredentials.into()),
        (Some(token), None) => Ok(Some((token, Transport::Bearer))),
        (None, Some(token)) => {
            cookie::check(
                &parts.method,
                &parts.uri,
                &parts.headers,
                &settings.cookies.origins,
            )?;
            Ok(Some((token, Transport::Cookie)))
        }
        (None, None) => Ok(None),
    }
}

/// Returns the properties of a request to which a token may be bound.
pub(in crate::http) fn place<'a>(parts: &'a Parts, settings: &Settings) -> Place<'a> {
    let device_id = parts
        .headers
        .get(&settings.binding.device_header)
        .and_then(|value| value.to_str().ok());
    Place {
        device_id,
        ip: address(&parts.headers, &parts.extensions, &settings.client),
    }
}

/// The credentials that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Taken {
    Both,
    Bearer,
    Cookie,
}

impl Taken {
    /// Returns whether a cookie is looked at, and no other credential is there.
    pub(super) fn takes_cookie_alone(self, parts: &Parts, gate: &Running) -> Result<bool, Refusal> {
        let access = &gate.settings().access;
        Ok(match self {
            Self::Bearer => false,
            Self::Cookie => true,
            Self::Both => in_header(parts, &access.header, &access.schemes)?.is_none(),
        })
    }
}

/// The place of a token in the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum InHeader {
    /// After a scheme.
    Scheme,
    /// In a protocol that is offered for a web socket.
    Protocol,
}

/// Returns the token in the headers, after a known scheme or in a protocol. A request with both has
/// two credentials, and is refused.
pub(in crate::http) fn in_header<'a>(
    parts: &'a Parts,
    header: &str,
    schemes: &[String],
) -> Result<Option<(&'a str, InHeader)>, Refusal> {
    let protocol = subprotocol::token(&parts.headers, &parts.extensions)?;
    match (bearer(parts, header, schemes)?, protocol) {
        (Some(_), Some(_)) => Err(Malformed::TwoCredentials.into()),
        (Some(token), None) => Ok(Some((token, InHeader::Scheme))),
        (None, token) => Ok(token.map(|token| (token, InHeader::Protocol))),
    }
}

/// Returns the token after a known scheme; `None` if the request has no credentials for this
/// gate.
///
/// One or more spaces separate the two (RFC 6750 section 2.1, RFC 9110 section 11.4), and no other
/// character does; the verifier judges the rest.
pub(in crate::http) fn bearer<'a>(
    parts: &'a Parts,
    header: &str,
    schemes: &[String],
) -> Result<Option<&'a str>, Refusal> {
    // The usual name needs no parsing.
    let mut values = if header == AUTHORIZATION.as_str() {
        parts.headers.get_all(AUTHORIZATION).iter()
    } else {
        parts.headers.get_all(header).iter()
    };
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Malformed::TwoCredentials.into());
    }
    let bytes = value.as_bytes();
    // The usual form is the scheme as the settings spell it and one space.
    let usual = schemes
        .iter()
        .find_map(|known| bytes.strip_prefix(known.as_bytes())?.strip_prefix(b" "));
    if let Some(token) = usual.filter(|token| !token.starts_with(b" ")) {
        return text_of(token).map(Some);
    }
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(end);
    let is_ours = schemes
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(scheme));
    if !is_ours {
        // Credentials of another scheme must be text, too.
        return value
            .to_str()
            .map(|_| None)
            .map_err(|_| Code::InvalidToken.into());
    }
    // With another separator the token is empty, and is refused.
    let rest = rest.strip_prefix(b" ").unwrap_or_default();
    let start = rest.iter().position(|byte| *byte != b' ');
    let token = rest.get(start.unwrap_or(rest.len())..).unwrap_or_default();
    text_of(token).map(Some)
}

/// Returns the text of a token. The verifier decides which characters it may have.
fn text_of(token: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(token).map_err(|_| Code::InvalidToken.into())
}
