//! The answer to a sign-in that a handler of the application made: the same as that of the auth
//! routes.

use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use serde::Serialize;

use crate::device::Transport;
use crate::error::Refusal;
use crate::gate::{Running, is_ours};
use crate::id::SessionId;
use crate::session::Issued;

use super::answer::{Tokens, private};
use super::cookie::{self, DeviceCookie};
use super::extra::Members;
use super::problem::{Rejection, no_store};
use super::transport::cookies;

/// A session that was opened, as its client gets it: tokens in the body, or in cookies.
///
/// A handler can return it. To give another answer, such as a redirect, put
/// [`cookies`](Self::cookies) in front of it: `(signed_in.cookies(), Redirect::to("/"))`.
#[must_use = "the client gets its tokens only where this is the answer"]
pub struct SignedIn {
    gate: Arc<Running>,
    issued: Box<Issued>,
    transport: Transport,
    device: Option<DeviceCookie>,
    /// `true` if the browser came back from another service; its state is accepted once.
    has_returned: bool,
    members: Members,
    /// The problem of a member that was added.
    fault: Option<String>,
}

impl SignedIn {
    pub(super) fn new(
        gate: Arc<Running>,
        mut issued: Issued,
        transport: Transport,
        device: Option<DeviceCookie>,
        has_returned: bool,
    ) -> Self {
        let members = issued.own.take().unwrap_or_default();
        Self {
            gate,
            issued: Box::new(issued),
            transport,
            device,
            has_returned,
            members: members.into(),
            fault: None,
        }
    }

    /// Returns the session.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.issued.session_id
    }

    /// Returns the way in which the client gets its tokens.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Returns the tokens themselves, for a program that sends them in a way of its own.
    #[must_use]
    pub fn into_issued(self) -> Issued {
        *self.issued
    }

    /// Adds a member to the body, beside those of the backend's
    /// [`Answer`](crate::gate::Answer). A name that the gate uses itself, or a value that cannot be
    /// written as JSON, makes it 500.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let routes = self.gate.routes;
        let is_ours = |name: &str| is_ours(name, routes);
        if let Err(error) = self.members.add(name, value, is_ours) {
            self.fault = Some(error);
        }
        self
    }

    /// Returns the cookies alone, for an answer of another kind. Where cookies are off that answer
    /// is 500, because the client would not get its tokens.
    pub fn cookies(self) -> SignedInCookies {
        SignedInCookies(self)
    }

    fn set_cookies(&self, headers: &mut http::HeaderMap) {
        cookie::set(headers, &self.issued, false, &self.gate);
        if let Some(device) = &self.device {
            cookie::set_device(headers, device, &self.gate);
        }
    }

    fn clear_state(&self, headers: &mut http::HeaderMap) {
        if self.has_returned {
            cookie::set_state(headers, "", 0, &self.gate);
        }
    }
}

impl IntoResponse for SignedIn {
    fn into_response(self) -> Response {
        if let Some(fault) = self.fault {
            return self.gate.reject(Refusal::internal(fault)).into_response();
        }
        let mut response = private(Tokens {
            issued: &self.issued,
            routes: self.gate.routes,
            transport: self.transport,
            members: Some(self.members.as_map()),
            answers_refresh: true,
        });
        if self.transport == Transport::Cookie {
            self.set_cookies(response.headers_mut());
        }
        self.clear_state(response.headers_mut());
        response
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("session_id", &self.issued.session_id)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// The cookies of a session that was opened, in front of another answer.
#[derive(Debug)]
#[must_use = "the browser gets its cookies only where this is part of the answer"]
pub struct SignedInCookies(SignedIn);

impl IntoResponseParts for SignedInCookies {
    type Error = Rejection;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Rejection> {
        let Self(signed_in) = self;
        if cookies(&signed_in.gate).is_none() {
            return Err(signed_in.gate.reject(Refusal::internal(
                "the tokens of a sign-in cannot travel in cookies: `cookies.path` is not set",
            )));
        }
        signed_in.set_cookies(parts.headers_mut());
        signed_in.clear_state(parts.headers_mut());
        no_store(parts.headers_mut());
        Ok(parts)
    }
}
