//! Sends a browser to another service, such as an OAuth provider, and recognises it when it comes
//! back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponseParts, ResponseParts};
use base64_simd::URL_SAFE_NO_PAD;
use http::HeaderMap;

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::gate::Running;
use crate::secret::{fill_random, hex, same, sha256};

use super::cookie;

/// The redirect of the browser to another service: the answer sets a cookie, and
/// [`state`](Self::state) goes along as the parameter `state` (RFC 6749 section 10.12).
///
/// Put it in front of a response: `(leave, Redirect::to(&address))`.
#[must_use = "the browser keeps its state only where this is part of the answer"]
pub struct Leave {
    gate: Arc<Running>,
    state: String,
    value: String,
}

impl Leave {
    /// Returns the value of the parameter `state`, which the service returns.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Makes a state for a service.
    pub(super) fn new(gate: &Arc<Running>, service: &str) -> Result<Self, Refusal> {
        let mut bytes = [0; 32];
        fill_random(&mut bytes).map_err(Refusal::unavailable)?;
        let state = URL_SAFE_NO_PAD.encode_to_string(bytes);
        let until = gate.admission().now().plus(LIFETIME).as_secs();
        let value = format!("{until}.{}.{state}", tag(service));
        Ok(Self {
            gate: Arc::clone(gate),
            state,
            value,
        })
    }
}

impl std::fmt::Debug for Leave {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Leave")
    }
}

impl IntoResponseParts for Leave {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        cookie::set_state(
            parts.headers_mut(),
            &self.value,
            LIFETIME.as_secs(),
            &self.gate,
        );
        Ok(parts)
    }
}

/// The proof that a browser which was sent to this service from here came back within ten minutes.
/// [`OpenSession::returning`](super::extract::OpenSession::returning) takes it.
#[derive(Debug)]
#[must_use = "hand it to `open(…).returning(…)`"]
pub struct Returned(());

/// Compares the state that a service returned with the one in the browser's cookie.
pub(super) fn returned(
    gate: &Running,
    headers: &HeaderMap,
    service: &str,
    state: &str,
) -> Result<Returned, Refusal> {
    let kept = cookie::find(headers, &gate.cookies.state)?;
    let mut parts = kept.unwrap_or_default().splitn(3, '.');
    let (until, tagged, kept) = (parts.next(), parts.next(), parts.next());
    let until = until.and_then(|until| until.parse().ok());
    let is_in_time =
        until.is_some_and(|until| gate.admission().now() < Timestamp::from_secs(until));
    let is_this_service = tagged == Some(&*tag(service));
    let is_this_state = kept.is_some_and(|kept| {
        !kept.is_empty() && same(&sha256(kept.as_bytes()), &sha256(state.as_bytes()))
    });
    if is_in_time && is_this_service && is_this_state {
        Ok(Returned(()))
    } else {
        Err(Code::Csrf.into())
    }
}

/// Returns the text that represents the name of a service in a cookie.
fn tag(service: &str) -> String {
    let mut tag = hex(&sha256(service.as_bytes()));
    tag.truncate(16);
    tag
}

/// The time after which a browser must be back.
const LIFETIME: Duration = Duration::from_secs(600);
