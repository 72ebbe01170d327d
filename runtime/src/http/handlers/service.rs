//! Services that authenticate themselves: finds the service that sent a request.

use base64_simd::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::{Code, Malformed};
use crate::gate::Running;
use crate::settings::Service;

use super::super::form;
use super::super::problem::Rejection;

/// Returns the service that sent a request, or the refusal (RFC 6749 section 2.3.1, RFC 7617).
pub(super) fn service<'g>(
    gate: &'g Running,
    headers: &HeaderMap,
) -> Result<Option<&'g str>, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    let Some(value) = value else { return Ok(None) };
    if another.is_some() {
        return Err(gate.reject(Malformed::TwoCredentials));
    }
    let credentials = value.to_str().ok().and_then(|text| text.split_once(' '));
    let Some((_, encoded)) = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
    else {
        return Ok(None);
    };
    let found = basic(encoded.trim_start_matches(' ')).and_then(|(name, secret)| {
        gate.settings()
            .introspection
            .authenticate(&name, &secret)
            .map(Service::name)
    });
    found.map(Some).ok_or_else(unknown_service)
}

/// Returns the refusal of a service: it does not reveal whether there is a service of that name.
pub(super) fn unknown_service() -> Rejection {
    Rejection::new(Code::InvalidCredentials, &"Basic realm=\"services\"".into())
}

/// Returns name and secret, each encoded as in a form (RFC 6749 section 2.3.1).
fn basic(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode_to_vec(encoded).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((form::decode(name)?, form::decode(secret)?))
}

/// Returns the service that asks to revoke a token, or the refusal where another one must ask (RFC
/// 7009 section 2.1).
pub(super) fn revoker<'g>(
    gate: &'g Running,
    parts: &Parts,
    client_id: Option<&str>,
) -> Result<Option<&'g str>, Rejection> {
    let service = service(gate, &parts.headers)?;
    let settings = gate.settings();
    let must = |name: &str| settings.introspection.knows(name);
    // A client that has a secret must authenticate: both the one that the request names, and the
    // one to which the tokens belong.
    let is_named = client_id.is_some_and(|name| must(name) && service != Some(name));
    if is_named || (service.is_none() && must(&settings.client_id)) {
        return Err(unknown_service());
    }
    Ok(service)
}
