//! The answers to successful requests.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::device::{Agent, Hints, Transport};
use crate::flow::Renewed;
use crate::gate::{RouteConfig, SessionInfo};
use crate::id::SessionId;
use crate::session::{Issued, OwnMembers};
use crate::store::SeenFrom;

#[cfg(feature = "openapi")]
use super::member::{AnswerMember, MemberKind, example};
use super::problem::no_store;

/// Tokens, under the names that the backend gave them (RFC 6749 section 5.1, and three members of
/// the gate's own).
pub(super) struct Tokens<'a> {
    pub(super) issued: &'a Issued,
    pub(super) routes: &'a RouteConfig,
    /// The way in which tokens travel: in cookies they are not in the body.
    pub(super) transport: Transport,
    /// The members that the backend and the application add.
    pub(super) members: Option<&'a OwnMembers>,
    /// `true` if the body has the refresh token; `false` if the client keeps the one that it
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
        vec![
            AnswerMember::text(routes.access_token, example::ACCESS_TOKEN).optional_if(has_cookies),
            AnswerMember::text(routes.refresh_token, example::REFRESH_TOKEN)
                .optional_if(has_cookies || !answers_refresh),
            TOKEN_TYPE.optional_if(has_cookies),
            AnswerMember::number("expires_in", "600"),
            AnswerMember::number("refresh_expires_in", "2592000"),
            AnswerMember::text("session_id", example::SESSION_ID),
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
        vec![
            AnswerMember::text(routes.access_token, example::ACCESS_TOKEN).optional_if(has_cookies),
            TOKEN_TYPE.optional_if(has_cookies),
            AnswerMember::number("expires_in", "600"),
            AnswerMember::text("session_id", example::SESSION_ID),
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
        AnswerMember::new("kind", MemberKind::Word(&["access", "refresh"]), "access"),
        AnswerMember::text("subject", "42"),
        AnswerMember::maybe("session_id", example::SESSION_ID),
        AnswerMember::number("expires_at", example::TIME),
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
    /// Those of the last sign-in or refresh.
    last_seen_ip: Option<String>,
    last_seen_user_agent: Option<String>,
    /// Those before: only if the settings keep them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<FormerPlace>,
    expires_at: u64,
}

/// An address and a user agent that a session was used from before.
#[derive(Serialize)]
struct FormerPlace {
    ip: Option<String>,
    user_agent: Option<String>,
    last_seen_at: u64,
}

#[cfg(feature = "openapi")]
impl FormerPlace {
    const MEMBERS: [AnswerMember; 3] = [
        AnswerMember::maybe("ip", "192.0.2.7"),
        AnswerMember::maybe("user_agent", "Mozilla/5.0"),
        AnswerMember::number("last_seen_at", example::TIME),
    ];
}

impl From<SeenFrom> for FormerPlace {
    fn from(seen: SeenFrom) -> Self {
        Self {
            ip: seen.ip,
            user_agent: seen.user_agent,
            last_seen_at: seen.last_seen_at.as_secs(),
        }
    }
}

impl SessionEntry {
    #[cfg(feature = "openapi")]
    pub(super) const MEMBERS: [AnswerMember; 14] = [
        AnswerMember::text("session_id", example::SESSION_ID),
        AnswerMember::new("current", MemberKind::Bool, "true"),
        AnswerMember::maybe("device_name", "Ada's telephone"),
        AnswerMember::maybe("device_id", "7f3c"),
        AnswerMember::maybe("user_agent", "Mozilla/5.0"),
        AnswerMember::new("agent", MemberKind::Object(AGENT), "{}"),
        AnswerMember::new("hints", MemberKind::Object(HINTS), "{}").optional_if(true),
        AnswerMember::maybe("ip", "192.0.2.7"),
        AnswerMember::number("created_at", example::TIME),
        AnswerMember::number("last_seen_at", example::TIME),
        AnswerMember::maybe("last_seen_ip", "192.0.2.7"),
        AnswerMember::maybe("last_seen_user_agent", "Mozilla/5.0"),
        AnswerMember::new("history", MemberKind::List(&FormerPlace::MEMBERS), "[]")
            .optional_if(true),
        AnswerMember::number("expires_at", example::TIME),
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
            last_seen_ip: session.last_seen_ip,
            last_seen_user_agent: session.last_seen_user_agent,
            history: session.history.into_iter().map(FormerPlace::from).collect(),
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

/// The scheme of an access token, whatever header carries it (RFC 6749 section 7.1).
#[cfg(feature = "openapi")]
const TOKEN_TYPE: AnswerMember =
    AnswerMember::new("token_type", MemberKind::Word(&["Bearer"]), "Bearer");

/// The members of [`Agent`].
#[cfg(feature = "openapi")]
const AGENT: &[AnswerMember] = &[
    AnswerMember::maybe("name", "Firefox"),
    AnswerMember::maybe("version", "140.0"),
    AnswerMember::maybe("os", "Android"),
    AnswerMember::maybe("os_version", "16"),
    AnswerMember::maybe("model", "Pixel 9"),
    AnswerMember::maybe("kind", "smartphone"),
];

/// The members of [`Hints`].
#[cfg(feature = "openapi")]
const HINTS: &[AnswerMember] = &[
    AnswerMember::text("brands", "\"Chromium\";v=\"140\"").optional_if(true),
    AnswerMember::new("mobile", MemberKind::Bool, "true").optional_if(true),
    AnswerMember::text("platform", "Android").optional_if(true),
    AnswerMember::text("platform_version", "16").optional_if(true),
    AnswerMember::text("model", "Pixel 9").optional_if(true),
    AnswerMember::text("architecture", "arm").optional_if(true),
    AnswerMember::text("bitness", "64").optional_if(true),
    AnswerMember::new("wow64", MemberKind::Bool, "false").optional_if(true),
    AnswerMember::text("form_factors", "\"Mobile\"").optional_if(true),
    AnswerMember::text("full_versions", "\"Chromium\";v=\"140.0.1\"").optional_if(true),
    AnswerMember::text("memory", "8").optional_if(true),
];

/// The answer of `POST /auth/introspect` (RFC 7662 section 2.2), apart from the user's own claims.
#[cfg(feature = "openapi")]
pub(super) const INTROSPECTION: &[AnswerMember] = &[
    AnswerMember::new("active", MemberKind::Bool, "true"),
    AnswerMember::new(
        "token_type",
        MemberKind::Word(&["Bearer", "refresh_token"]),
        "Bearer",
    )
    .optional_if(true),
    AnswerMember::text("iss", "https://accounts.example.com").optional_if(true),
    AnswerMember::text("sub", "42").optional_if(true),
    AnswerMember::text("client_id", "first-party").optional_if(true),
    AnswerMember::text("jti", example::SESSION_ID).optional_if(true),
    AnswerMember::text("sid", example::SESSION_ID).optional_if(true),
    AnswerMember::number("iat", example::TIME).optional_if(true),
    AnswerMember::number("exp", example::TIME).optional_if(true),
    AnswerMember::number("auth_time", example::TIME).optional_if(true),
    AnswerMember::text("acr", "urn:example:two-factors").optional_if(true),
    AnswerMember::text("rlm", "staff").optional_if(true),
];

/// The key set (RFC 7517 section 5).
#[cfg(feature = "openapi")]
pub(super) const KEY_SET: &[AnswerMember] = &[AnswerMember::new("keys", MemberKind::Keys, "[]")];
