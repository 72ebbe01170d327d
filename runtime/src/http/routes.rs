//! The one table of the auth routes. The router and the OpenAPI document are both made from it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::routing::{MethodFilter, on};

use crate::gate::{AuthRoute, Running, metadata_path};

use super::handlers::{
    exchange, introspect, refresh, revoke, sessions, sign_in, sign_out, verify, well_known,
};
#[cfg(feature = "openapi")]
use super::member::example;
use super::root::RootPlace;
#[cfg(feature = "openapi")]
use super::row::{
    Answered, Body, BodyMember, CODE, CallerKind, DEVICE_ID, DEVICE_NAME, MemberForm, Needed,
    RouteDoc, STEP_TOKEN,
};
use super::row::{At, RouteRow};

/// Every route of a gate.
pub(super) const ROUTES: &[RouteRow] = &[
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Step),
        exists: always,
        handler: |method| on(method, sign_in::step),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "signin_step",
            summary: "Continues a sign-in that needs a further step",
            description: Some(
                "The 401 `insufficient_user_authentication` of a sign-in has the members `step` \
                 and `step_token`.",
            ),
            caller: CallerKind::Anyone,
            body: Body::Members(&[STEP_TOKEN, CODE, DEVICE_NAME, DEVICE_ID]),
            answer: Answered::ok("The tokens of a session", "AuthTokens"),
            problems: &["400", "401", "403", "413", "415", "429", "500", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Signin),
        exists: always,
        handler: |method| on(method, sign_in::sign_in),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "signin",
            summary: "Signs in",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Login,
            answer: Answered::ok("The tokens of a session", "AuthTokens"),
            problems: &["400", "401", "403", "413", "415", "429", "500", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Exchange),
        exists: is_moving,
        handler: |method| on(method, exchange::exchange),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "exchange",
            summary: "Exchanges a refresh token of the former system for a session, once",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Members(&[FORMER_TOKEN, DEVICE_NAME, DEVICE_ID]),
            answer: Answered::ok("The tokens of a session", "AuthTokens"),
            problems: &["400", "401", "403", "413", "415", "429", "500", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Refresh),
        exists: always,
        handler: |method| on(method, refresh::refresh),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "refresh",
            summary: "Exchanges a refresh token for a new pair",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Members(&[
                BodyMember::refresh_token(Needed::WithoutCookies),
                DEVICE_NAME,
                DEVICE_ID,
            ]),
            answer: Answered::ok("The tokens of the session", "AuthTokens"),
            problems: &["400", "401", "413", "415", "429", "500", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Reauthenticate),
        exists: always,
        handler: |method| on(method, sign_in::reauthenticate),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "reauthenticate",
            summary: "Authenticates the caller again",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::LoginOrStep(&[STEP_TOKEN, CODE]),
            answer: Answered::ok(
                "An access token with a fresh `auth_time`",
                "AuthAccessToken",
            ),
            problems: &["400", "401", "413", "415", "429", "500", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Verify),
        exists: always,
        handler: |method| on(method, verify::verify),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "verify",
            summary: "Verifies a token; changes nothing",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Members(&[TOKEN]),
            answer: Answered::ok("The description of the token", "AuthTokenDescription"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Signout),
        exists: always,
        handler: |method| on(method, sign_out::sign_out),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "signout",
            summary: "Ends a session, with its access token or its refresh token",
            description: None,
            caller: CallerKind::MaybeSignedIn,
            body: Body::MaybeMembers(&[BodyMember::refresh_token(Needed::Never)]),
            answer: Answered::empty("204", "Signed out, or signed out already"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::SignoutAll),
        exists: always,
        handler: |method| on(method, sign_out::sign_out_all),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "signout_all",
            summary: "Ends every session of the caller",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered::empty("204", "Signed out everywhere"),
            problems: &["400", "401", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Revoke),
        exists: always,
        handler: |method| on(method, revoke::revoke),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "revoke",
            summary: "Revokes a token (RFC 7009)",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Form(&[TOKEN, HINT, AFFECT_TREE, CLIENT_ID]),
            answer: Answered::empty("200", "The token is not valid any more, or was unknown"),
            problems: &["400", "401", "413", "415", "429", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::GET,
        at: At::Route(AuthRoute::Sessions),
        exists: always,
        handler: |method| on(method, sessions::list),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "sessions",
            summary: "Lists the sessions of the caller",
            description: Some(
                "A hundred at a time; `Link` with `rel=\"next\"` is there while there are more",
            ),
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered {
                is_list: true,
                ..Answered::ok("The live sessions, oldest first", "AuthSession")
            },
            problems: &["400", "401", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::DELETE,
        at: At::Route(AuthRoute::EndSession),
        exists: always,
        handler: |method| on(method, sessions::end),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "end_session",
            summary: "Ends a session of the caller",
            description: None,
            caller: CallerKind::SignedIn,
            body: Body::Empty,
            answer: Answered::empty("204", "The session has ended"),
            problems: &["400", "401", "404", "503"],
            checks_origin: true,
        }),
    },
    RouteRow {
        method: MethodFilter::POST,
        at: At::Route(AuthRoute::Introspect),
        exists: answers_services,
        handler: |method| on(method, introspect::introspect),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "introspect",
            summary: "Describes a token to a service (RFC 7662)",
            description: None,
            caller: CallerKind::Service,
            body: Body::Form(&[TOKEN, HINT]),
            answer: Answered::ok(
                "`active`, and if it is true the claims of the token",
                "AuthIntrospection",
            ),
            problems: &["400", "401", "413", "415", "503"],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::GET,
        at: At::Route(AuthRoute::Jwks),
        exists: always,
        handler: |method| on(method, well_known::jwks),
        #[cfg(feature = "openapi")]
        words: Some(RouteDoc {
            id: "jwks",
            summary: "The public keys that verify access tokens (RFC 7517)",
            description: None,
            caller: CallerKind::Anyone,
            body: Body::Empty,
            answer: Answered {
                media: "application/jwk-set+json",
                ..Answered::ok("The key set", "AuthKeySet")
            },
            problems: &[],
            checks_origin: false,
        }),
    },
    RouteRow {
        method: MethodFilter::GET,
        at: At::Metadata,
        exists: has_metadata,
        handler: |method| {
            on(
                method,
                |State(gate): State<Arc<Running>>, Extension(place): Extension<RootPlace>| async move {
                    well_known::metadata(&gate, |wanted| endpoint(&gate, &place, wanted))
                },
            )
        },
        #[cfg(feature = "openapi")]
        words: None,
    },
];

#[cfg(feature = "openapi")]
const TOKEN: BodyMember = BodyMember::needed("token", example::ACCESS_TOKEN);
#[cfg(feature = "openapi")]
const FORMER_TOKEN: BodyMember = BodyMember::needed("token", "a refresh token of that system");
#[cfg(feature = "openapi")]
const HINT: BodyMember = BodyMember::maybe("token_type_hint");
#[cfg(feature = "openapi")]
const AFFECT_TREE: BodyMember = BodyMember::maybe("affect_tree").holding(MemberForm::Truth, false);
#[cfg(feature = "openapi")]
const CLIENT_ID: BodyMember = BodyMember::maybe("client_id");

fn always(_: &Running) -> bool {
    true
}

/// Returns whether the gate takes tokens of a former system.
fn is_moving(gate: &Running) -> bool {
    gate.flows().moving().is_some()
}

/// Returns whether services may ask about tokens.
fn answers_services(gate: &Running) -> bool {
    !gate.settings().introspection.services.is_empty()
}

/// Returns whether the metadata of RFC 8414 is served: where services may ask about tokens, and
/// `public_url` gives the address.
fn has_metadata(gate: &Running) -> bool {
    metadata_path(gate.settings()).is_some()
}

/// Returns the path of an endpoint that the metadata names; `None` if the gate does not have it.
fn endpoint(gate: &Running, place: &RootPlace, endpoint: well_known::Endpoint) -> Option<String> {
    let wanted = match endpoint {
        well_known::Endpoint::KeySet => return place.key_set.as_deref().map(str::to_owned),
        well_known::Endpoint::Revocation => AuthRoute::Revoke,
        well_known::Endpoint::Introspection => AuthRoute::Introspect,
    };
    let row = ROUTES.iter().find(|row| row.route() == Some(wanted))?;
    if row.is_in(gate) {
        row.path(gate, place)
    } else {
        None
    }
}
