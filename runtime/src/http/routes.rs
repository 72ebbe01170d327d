//! The one table of the auth routes. The router and the OpenAPI document are two folds over it.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::gate::{AuthRoute, RouteConfig, Running};

use super::handlers::{
    introspect, refresh, revoke, sessions, sign_in, sign_out, verify, well_known,
};

/// A row of the table.
pub(super) struct RouteRow {
    /// The word by which a backend leaves the route out with `disable(…)`; `None` where it cannot.
    pub(super) name: Option<AuthRoute>,
    /// The method of its requests.
    pub(super) method: MethodFilter,
    /// Its path.
    pub(super) at: At,
    /// Returns whether a gate has the route.
    pub(super) exists: fn(&Running) -> bool,
    /// Returns its handler.
    pub(super) handler: fn(MethodFilter) -> MethodRouter<Arc<Running>>,
    /// Its words in the OpenAPI document; `None` where it is not in there.
    #[cfg(feature = "openapi")]
    pub(super) words: Option<RouteWords>,
}

/// Where a route is.
pub(super) enum At {
    /// Below the backend's prefix.
    Prefix(&'static str),
    /// At the path that the backend gives to sign-in, with this suffix.
    SignIn(&'static str),
    /// At the path that the backend gives to refresh.
    Refresh,
    /// At the root, wherever the other routes are nested.
    Root(fn(&Running) -> String),
}

/// What the OpenAPI document says of a route.
#[cfg(feature = "openapi")]
pub(super) struct RouteWords {
    /// The `operationId`.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) caller: CallerKind,
    pub(super) body: Body,
    pub(super) answer: Answered,
    /// The statuses of problems.
    pub(super) problems: &'static [&'static str],
    /// Whether cookies from another origin are refused with 403.
    pub(super) checks_origin: bool,
}

/// Who may call a route.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerKind {
    /// Anyone.
    Anyone,
    /// A caller with an access token, in a header or a cookie.
    SignedIn,
    /// Anyone; an access token may say who it is.
    MaybeSignedIn,
    /// A service that authenticates itself.
    Service,
}

/// The body of a request.
#[cfg(feature = "openapi")]
pub(super) enum Body {
    /// None.
    Empty,
    /// The backend's login.
    Login,
    /// A JSON object with these members.
    Members(&'static [BodyMember]),
    /// The same, which may be left out.
    MaybeMembers(&'static [BodyMember]),
    /// A token and its kind, as JSON or as a form (RFC 7009 section 2.1).
    TokenForm,
}

/// A member of a request's body: a string.
#[cfg(feature = "openapi")]
pub(super) struct BodyMember {
    /// Its name; `None` is the backend's name of the refresh token.
    pub(super) name: Option<&'static str>,
    pub(super) needed: Needed,
}

/// When a member must be there.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Always,
    Never,
    /// Unless tokens travel in cookies.
    WithoutCookies,
}

/// A successful answer.
#[cfg(feature = "openapi")]
pub(super) struct Answered {
    pub(super) status: &'static str,
    pub(super) about: &'static str,
    /// The name of the schema of its body.
    pub(super) schema: Option<&'static str>,
    pub(super) is_list: bool,
    pub(super) media: &'static str,
}

#[cfg(feature = "openapi")]
impl Answered {
    /// Returns an answer of status 200 with a JSON body.
    const fn ok(about: &'static str, schema: &'static str) -> Self {
        Self {
            status: "200",
            about,
            schema: Some(schema),
            is_list: false,
            media: "application/json",
        }
    }

    /// Returns an answer without a body.
    const fn empty(status: &'static str, about: &'static str) -> Self {
        Self {
            status,
            about,
            schema: None,
            is_list: false,
            media: "",
        }
    }
}

/// Every route of a gate.
pub(super) const ROUTES: &[RouteRow] = &[
    RouteRow {
        name: Some(AuthRoute::Signin),
        method: MethodFilter::POST,
        at: At::SignIn("/step"),
        exists: always,
        handler: |method| on(method, sign_in::step),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "signin_step",
            summary: "Goes on with a sign-in that needs a further step",
            description: Some(
                "The 401 `insufficient_user_authentication` of a sign-in has the members `step` \
                 and `step_token`.",
            ),
            caller: CallerKind::Anyone,
            body: Body::Members(&[
                member("step_token", Needed::Always),
                member("code", Needed::Never),
                member("device_name", Needed::Never),
                member("device_id", Needed::Never),
            ]),
            answer: Answered::ok("The tokens of a session", "Tokens"),
            problems: &["400", "401", "403", "413", "415", "429", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Signin),
        method: MethodFilter::POST,
        at: At::SignIn(""),
        exists: always,
        handler: |method| on(method, sign_in::sign_in),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "signin",
            summary: "Signs in",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Login,
            answer: Answered::ok("The tokens of a session", "Tokens"),
            problems: &["400", "401", "403", "413", "415", "429", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Refresh),
        method: MethodFilter::POST,
        at: At::Refresh,
        exists: always,
        handler: |method| on(method, refresh::refresh),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "refresh",
            summary: "Exchanges a refresh token for a pair",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Members(&[
                BodyMember {
                    name: None,
                    needed: Needed::WithoutCookies,
                },
                member("device_id", Needed::Never),
            ]),
            answer: Answered::ok("The tokens of the session", "Tokens"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Reauthenticate),
        method: MethodFilter::POST,
        at: At::Prefix("/reauthenticate"),
        exists: always,
        handler: |method| on(method, sign_in::reauthenticate),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "reauthenticate",
            summary: "Proves again who the caller is",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Login,
            answer: Answered::ok("An access token with a fresh `auth_time`", "AccessToken"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Verify),
        method: MethodFilter::POST,
        at: At::Prefix("/verify"),
        exists: always,
        handler: |method| on(method, verify::verify),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "verify",
            summary: "Says whether a token counts; changes nothing",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Members(&[member("token", Needed::Always)]),
            answer: Answered::ok("What the token is", "TokenDescription"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Signout),
        method: MethodFilter::POST,
        at: At::Prefix("/signout"),
        exists: always,
        handler: |method| on(method, sign_out::sign_out),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "signout",
            summary: "Ends a session, with its access token or its refresh token",
            description: None,
            caller: CallerKind::MaybeSignedIn,
            body: Body::MaybeMembers(&[BodyMember {
                name: None,
                needed: Needed::Never,
            }]),
            answer: Answered::empty("204", "Signed out, or signed out already"),
            problems: &["400", "401", "413", "415", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::SignoutAll),
        method: MethodFilter::POST,
        at: At::Prefix("/signout-all"),
        exists: always,
        handler: |method| on(method, sign_out::sign_out_all),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "signout_all",
            summary: "Ends every session of the caller",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered::empty("204", "Signed out everywhere"),
            problems: &["401", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Revoke),
        method: MethodFilter::POST,
        at: At::Prefix(REVOKE),
        exists: always,
        handler: |method| on(method, revoke::revoke),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "revoke",
            summary: "Revokes a token (RFC 7009)",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::TokenForm,
            answer: Answered::empty("200", "The token is worth nothing, whatever it was"),
            problems: &["400", "401", "413", "415", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Sessions),
        method: MethodFilter::GET,
        at: At::Prefix("/sessions"),
        exists: always,
        handler: |method| on(method, sessions::list),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "sessions",
            summary: "Lists the sessions of the caller",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered {
                is_list: true,
                ..Answered::ok("The live sessions, oldest first", "Session")
            },
            problems: &["401", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: Some(AuthRoute::Sessions),
        method: MethodFilter::DELETE,
        at: At::Prefix("/sessions/{id}"),
        exists: always,
        handler: |method| on(method, sessions::end),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "end_session",
            summary: "Ends a session of the caller",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered::empty("204", "The session has ended"),
            problems: &["401", "404", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        name: None,
        method: MethodFilter::POST,
        at: At::Prefix(INTROSPECT),
        exists: answers_services,
        handler: |method| on(method, introspect::introspect),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "introspect",
            summary: "Tells a service what a token is (RFC 7662)",
            description: None,
            caller: CallerKind::Service,
            body: Body::TokenForm,
            answer: Answered::ok(
                "`active`, and where it is true what the token says",
                "Introspection",
            ),
            problems: &["400", "401", "413", "415", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: None,
        method: MethodFilter::GET,
        at: At::Root(|_| JWKS.to_owned()),
        exists: always,
        handler: |method| on(method, well_known::jwks),
        #[cfg(feature = "openapi")]
        words: Some(RouteWords {
            id: "jwks",
            summary: "The public keys that verify access tokens (RFC 7517)",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Empty,
            answer: Answered {
                media: "application/jwk-set+json",
                ..Answered::ok("The key set", "KeySet")
            },
            problems: &[],
            checks_origin: false,
        }),
    },
    RouteRow {
        name: None,
        method: MethodFilter::GET,
        at: At::Root(metadata_path),
        exists: has_metadata,
        handler: |method| {
            on(method, |State(gate): State<Arc<Running>>| async move {
                well_known::metadata(&gate, endpoint)
            })
        },
        #[cfg(feature = "openapi")]
        words: None,
    },
];

const JWKS: &str = "/.well-known/jwks.json";
const REVOKE: &str = "/revoke";
const INTROSPECT: &str = "/introspect";

#[cfg(feature = "openapi")]
const fn member(name: &'static str, needed: Needed) -> BodyMember {
    BodyMember {
        name: Some(name),
        needed,
    }
}

impl RouteRow {
    /// Returns whether a gate has this route.
    pub(super) fn is_in(&self, gate: &Running) -> bool {
        let is_disabled = |name| gate.routes.disabled.contains(&name);
        !self.name.is_some_and(is_disabled) && (self.exists)(gate)
    }

    /// Returns whether the route is at the root, wherever the others are nested.
    pub(super) fn is_at_root(&self) -> bool {
        matches!(self.at, At::Root(_))
    }

    /// Returns the path of this route in a gate.
    pub(super) fn path(&self, gate: &Running) -> String {
        let RouteConfig {
            prefix,
            signin,
            refresh,
            ..
        } = gate.routes;
        match self.at {
            At::Prefix(path) => format!("{prefix}{path}"),
            At::SignIn(suffix) => format!("{prefix}{}{suffix}", signin.path),
            At::Refresh => format!("{prefix}{}", refresh.path),
            At::Root(path) => path(gate),
        }
    }
}

fn always(_: &Running) -> bool {
    true
}

/// Returns whether services may ask about tokens.
fn answers_services(gate: &Running) -> bool {
    !gate.settings().introspection.services.is_empty()
}

/// Returns whether the metadata of RFC 8414 is served: where services may ask about tokens, and
/// `public_url` says at which address.
fn has_metadata(gate: &Running) -> bool {
    let settings = gate.settings();
    answers_services(gate) && settings.public_url.is_some() && settings.issuer.is_some()
}

/// Returns the path of the metadata: with the path of the issuer behind (RFC 8414 section 3.1).
fn metadata_path(gate: &Running) -> String {
    let issuer = gate.settings().issuer.as_deref().unwrap_or_default();
    let path = well_known::path_of(issuer).trim_end_matches('/');
    format!("/.well-known/oauth-authorization-server{path}")
}

/// Returns the path of an endpoint that the metadata names; `None` where the gate does not have it.
fn endpoint(gate: &Running, endpoint: well_known::Endpoint) -> Option<String> {
    let wanted = match endpoint {
        well_known::Endpoint::KeySet => JWKS,
        well_known::Endpoint::Revocation => REVOKE,
        well_known::Endpoint::Introspection => INTROSPECT,
    };
    let row = ROUTES.iter().find(|row| match row.at {
        At::Prefix(path) => path == wanted,
        At::Root(path) => path(gate) == wanted,
        _ => false,
    })?;
    row.is_in(gate).then(|| row.path(gate))
}
