//! The access token of a web socket that a browser opens: in `Sec-WebSocket-Protocol`, the only
//! header that its scripts may set.

use http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{Extensions, HeaderMap, HeaderValue};

use crate::error::{Code, Malformed, Refusal};

/// The prefix of the protocol that carries the token.
const PREFIX: &str = "tollgate.bearer.";

/// The protocols of a request, before the one with the token was removed.
#[derive(Clone)]
struct Offered(Vec<HeaderValue>);

/// Returns the token among the protocols that a client offers for a web socket; `None` if no
/// protocol carries one.
///
/// The client must also offer at least one other protocol for the server to select: the selected
/// one is sent back, and the token must not be.
pub(super) fn token<'a>(
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
) -> Result<Option<&'a str>, Refusal> {
    if !headers.contains_key(UPGRADE) {
        return Ok(None);
    }
    let (mut found, mut others) = (None, 0);
    let mut look = |line: &'a HeaderValue| -> Result<(), Refusal> {
        for protocol in line.as_bytes().split(|byte| *byte == b',') {
            match protocol.trim_ascii().strip_prefix(PREFIX.as_bytes()) {
                Some(_) if found.is_some() => return Err(Malformed::TwoCredentials.into()),
                Some(token) => found = Some(token),
                None => others += usize::from(!protocol.trim_ascii().is_empty()),
            }
        }
        Ok(())
    };
    match extensions.get::<Offered>() {
        Some(Offered(lines)) => lines.iter().try_for_each(&mut look)?,
        None => headers
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .try_for_each(&mut look)?,
    }
    let Some(token) = found else {
        return Ok(None);
    };
    if others == 0 {
        return Err(Malformed::LoneBearerProtocol.into());
    }
    let token = std::str::from_utf8(token).map_err(|_| Code::InvalidToken)?;
    Ok(Some(token))
}

/// Removes the protocol with the token from the header, before a handler selects one, and keeps it
/// for the other extractors of the request.
pub(super) fn hide(headers: &mut HeaderMap, extensions: &mut Extensions) {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) || extensions.get::<Offered>().is_some() {
        return;
    }
    let lines: Vec<HeaderValue> = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .cloned()
        .collect();
    let carries = |protocol: &[u8]| protocol.trim_ascii().starts_with(PREFIX.as_bytes());
    let is_there = |line: &HeaderValue| line.as_bytes().split(|byte| *byte == b',').any(carries);
    if !lines.iter().any(is_there) {
        return;
    }
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    for line in &lines {
        let protocols = line.as_bytes().split(|byte| *byte == b',');
        let kept: Vec<&[u8]> = protocols.filter(|protocol| !carries(protocol)).collect();
        let kept = HeaderValue::from_bytes(kept.join(&b',').trim_ascii());
        if let Some(kept) = kept.ok().filter(|kept| !kept.is_empty()) {
            headers.append(SEC_WEBSOCKET_PROTOCOL, kept);
        }
    }
    extensions.insert(Offered(lines));
}
