//! The answers to successful requests.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::device::{Agent, Hints, Transport};
use crate::flow::Renewed;
use crate::gate::{RouteConfig, SessionInfo};
use crate::id::SessionId;
use crate::session::Issued;

use super::extra::Members;
#[cfg(feature = "openapi")]
use super::member::{AnswerMember, MemberKind};
use super::problem::no_store;

/// Tokens, under the names that the backend gave them (RFC 6749 section 5.1, and three members of
/// the gate's own).
pub(super) struct Tokens<'a> {
    pub(super) issued: &'a Issued,
    pub(super) routes: &'a RouteConfig,
    /// The way in which tokens travel: in cookies they are not in the body.
    pub(super) transport: Transport,
    /// The members that the application adds.
    pub(super) members: Option<&'a Members>,
    /// `true` where the body has the refresh token; `false` where the client keeps the one that it
    /// has (`refresh.answer_token`).
    pub(super) answers_refresh: bool,
}

impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            issued,
            routes,
            transport,
            members,
            answers_refresh,
        } = self;
        let mut map = serializer.serialize_map(None)?;
        if *transport == Transport::Bearer {
            map.serialize_entry(routes.access_token, &issued.access_token)?;
            if *answers_refresh {
                map.serialize_entry(routes.refresh_token, issued.refresh_token.expose())?;
            }
            map.serialize_entry("token_type", "Bearer")?;
        }
        map.serialize_entry("expires_in", &issued.expires_in())?;
        map.serialize_entry("refresh_expires_in", &issued.refresh_expires_in())?;
        map.serialize_entry("session_id", &issued.session_id)?;
        for (name, value) in members.iter().flat_map(|members| members.iter()) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(feature = "openapi")]
impl Tokens<'_> {
    /// Returns the members. With cookies no token is in the body, and a refresh may leave the
    /// refresh token out.
    pub(super) fn members(
        routes: &RouteConfig,
        has_cookies: bool,
        answers_refresh: bool,
    ) -> Vec<AnswerMember> {
        let text = |name| AnswerMember::new(name, MemberKind::Text);
        vec![
            text(routes.access_token).optional_if(has_cookies),
            text(routes.refresh_token).optional_if(has_cookies || !answers_refresh),
            text("token_type").optional_if(has_cookies),
            AnswerMember::new("expires_in", MemberKind::Number),
            AnswerMember::new("refresh_expires_in", MemberKind::Number),
            text("session_id"),
        ]
    }
}

/// A new access token for a session that goes on.
pub(super) struct AccessOnly<'a> {
    pub(super) renewed: &'a Renewed,
    pub(super) routes: &'a RouteConfig,
    pub(super) transport: Transport,
}

impl Serialize for AccessOnly<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.transport == Transport::Bearer {
            map.serialize_entry(self.routes.access_token, &self.renewed.access_token)?;
            map.serialize_entry("token_type", "Bearer")?;
        }
        map.serialize_entry("expires_in", &self.renewed.expires_in)?;
        map.serialize_entry("session_id", &self.renewed.session_id)?;
        map.end()
    }
}

#[cfg(feature = "openapi")]
impl AccessOnly<'_> {
    /// Returns the members; with cookies the token is not in the body.
    pub(super) fn members(routes: &RouteConfig, has_cookies: bool) -> Vec<AnswerMember> {
        let text = |name| AnswerMember::new(name, MemberKind::Text);
        vec![
            text(routes.access_token).optional_if(has_cookies),
            text("token_type").optional_if(has_cookies),
            AnswerMember::new("expires_in", MemberKind::Number),
            text("session_id"),
        ]
    }
}

/// The answer of `POST /auth/verify` about a valid token.
#[derive(Serialize)]
pub(super) struct TokenDescription {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) session_id: Option<SessionId>,
    /// Seconds since 1970.
    pub(super) expires_at: u64,
}

#[cfg(feature = "openapi")]
impl TokenDescription {
    pub(super) const MEMBERS: [AnswerMember; 4] = [
        AnswerMember::new("kind", MemberKind::Text),
        AnswerMember::new("subject", MemberKind::Text),
        AnswerMember::new("session_id", MemberKind::MaybeText),
        AnswerMember::new("expires_at", MemberKind::Number),
    ];
}

/// A session in a list. Times are seconds since 1970.
#[derive(Serialize)]
pub(super) struct SessionEntry {
    session_id: SessionId,
    current: bool,
    device_name: Option<String>,
    device_id: Option<String>,
    user_agent: Option<String>,
    /// The user agent and the hints in words.
    agent: Agent,
    #[serde(skip_serializing_if = "Hints::is_empty")]
    hints: Hints,
    ip: Option<String>,
    created_at: u64,
    last_seen_at: u64,
    expires_at: u64,
}

impl SessionEntry {
    #[cfg(feature = "openapi")]
    pub(super) const MEMBERS: [AnswerMember; 11] = [
        AnswerMember::new("session_id", MemberKind::Text),
        AnswerMember::new("current", MemberKind::Bool),
        AnswerMember::new("device_name", MemberKind::MaybeText),
        AnswerMember::new("device_id", MemberKind::MaybeText),
        AnswerMember::new("user_agent", MemberKind::MaybeText),
        AnswerMember::new("agent", MemberKind::Object),
        AnswerMember::new("hints", MemberKind::Object).optional_if(true),
        AnswerMember::new("ip", MemberKind::MaybeText),
        AnswerMember::new("created_at", MemberKind::Number),
        AnswerMember::new("last_seen_at", MemberKind::Number),
        AnswerMember::new("expires_at", MemberKind::Number),
    ];

    pub(super) fn new(session: SessionInfo, current: Option<SessionId>) -> Self {
        Self {
            current: Some(session.session_id) == current,
            session_id: session.session_id,
            agent: session.device.agent(),
            device_name: session.device.name,
            device_id: session.device.id,
            user_agent: session.device.user_agent,
            hints: session.device.hints,
            ip: session.device.ip,
            created_at: session.created_at.as_secs(),
            last_seen_at: session.last_seen_at.as_secs(),
            expires_at: session.expires_at.as_secs(),
        }
    }
}

/// Returns JSON with headers that forbid every cache to keep it.
pub(super) fn private(body: impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    no_store(response.headers_mut());
    response
}
