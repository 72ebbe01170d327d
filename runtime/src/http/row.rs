//! A row of the table of routes, with the data for the router and for the OpenAPI document.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter};

use crate::gate::{AuthRoute, Running, metadata_path};

#[cfg(feature = "openapi")]
use super::member::example;
use super::root::RootPlace;

/// A row of the table.
pub(super) struct RouteRow {
    /// The method of its requests.
    pub(super) method: MethodFilter,
    /// Its path.
    pub(super) at: At,
    /// Returns whether a gate has the route.
    pub(super) exists: fn(&Running) -> bool,
    /// Returns its handler.
    pub(super) handler: fn(MethodFilter) -> MethodRouter<Arc<Running>>,
    /// Its texts in the OpenAPI document; `None` if the document does not have it.
    #[cfg(feature = "openapi")]
    pub(super) words: Option<RouteDoc>,
}

/// The place of a route.
pub(super) enum At {
    /// At the path that the backend gives to it: below the prefix, and for the key set at the root,
    /// even if the other routes are nested.
    Route(AuthRoute),
    /// At the root, where the metadata are.
    Metadata,
}

/// The description of a route in the OpenAPI document.
#[cfg(feature = "openapi")]
pub(super) struct RouteDoc {
    /// The `operationId`.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) caller: CallerKind,
    pub(super) body: Body,
    pub(super) answer: Answered,
    /// The statuses of problems.
    pub(super) problems: &'static [&'static str],
    /// `true` if cookies from another origin are refused with 403.
    pub(super) checks_origin: bool,
}

/// The callers of a route.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerKind {
    /// Anyone.
    Anyone,
    /// A caller with an access token, in a header or a cookie.
    SignedIn,
    /// Anyone; an access token may identify the caller.
    MaybeSignedIn,
    /// A service that authenticates itself.
    Service,
}

/// The body of a request.
#[cfg(feature = "openapi")]
pub(super) enum Body {
    /// The request has no body.
    Empty,
    /// The backend's login, and the device.
    Login,
    /// The backend's login, or the answer to a step.
    LoginOrStep(&'static [BodyMember]),
    /// A JSON object with these members.
    Members(&'static [BodyMember]),
    /// The same members in a body that may be left out.
    MaybeMembers(&'static [BodyMember]),
    /// These members as JSON or as a form (RFC 7009 section 2.1).
    Form(&'static [BodyMember]),
}

/// A member of a request's body.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy)]
pub(super) struct BodyMember {
    /// Its name; `None` is the backend's name of the refresh token.
    pub(super) name: Option<&'static str>,
    pub(super) needed: Needed,
    pub(super) holds: MemberForm,
    /// `true` if null means the same as a missing member.
    pub(super) is_nullable: bool,
    /// An example of its value.
    pub(super) example: &'static str,
}

/// The type of a member of a request's body.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy)]
pub(super) enum MemberForm {
    Text,
    /// A name or an id of a device.
    Device,
    Truth,
}

/// The condition under which a member must be there.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Always,
    Never,
    /// Required unless tokens travel in cookies.
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
    pub(super) const fn ok(about: &'static str, schema: &'static str) -> Self {
        Self {
            status: "200",
            about,
            schema: Some(schema),
            is_list: false,
            media: "application/json",
        }
    }

    /// Returns an answer without a body.
    pub(super) const fn empty(status: &'static str, about: &'static str) -> Self {
        Self {
            status,
            about,
            schema: None,
            is_list: false,
            media: "",
        }
    }
}

impl RouteRow {
    /// Returns the name of the route; `None` for the metadata, which have none.
    pub(super) const fn route(&self) -> Option<AuthRoute> {
        match self.at {
            At::Route(route) => Some(route),
            At::Metadata => None,
        }
    }

    /// Returns whether a gate has this route.
    pub(super) fn is_in(&self, gate: &Running) -> bool {
        let is_disabled = |route| gate.routes.is_disabled(route);
        !self.route().is_some_and(is_disabled) && (self.exists)(gate)
    }

    /// Returns whether the route is at the root, even if the others are nested.
    pub(super) fn is_at_root(&self) -> bool {
        matches!(self.at, At::Route(AuthRoute::Jwks) | At::Metadata)
    }

    /// Returns the path of this route in a gate; `None` if another gate serves it.
    pub(super) fn path(&self, gate: &Running, place: &RootPlace) -> Option<String> {
        match self.at {
            At::Route(AuthRoute::Jwks) if place.serves_key_set => {
                place.key_set.as_deref().map(str::to_owned)
            }
            At::Route(AuthRoute::Jwks) => None,
            At::Route(route) => Some(gate.routes.full_path(route)),
            At::Metadata if place.serves_metadata => metadata_path(gate.settings()),
            At::Metadata => None,
        }
    }
}

#[cfg(feature = "openapi")]
impl BodyMember {
    /// Returns a text that must be there.
    pub(super) const fn needed(name: &'static str, example: &'static str) -> Self {
        Self {
            name: Some(name),
            needed: Needed::Always,
            holds: MemberForm::Text,
            is_nullable: false,
            example,
        }
    }

    /// Returns a text that may be missing or null.
    pub(super) const fn maybe(name: &'static str) -> Self {
        Self {
            needed: Needed::Never,
            is_nullable: true,
            ..Self::needed(name, "")
        }
    }

    /// Returns the refresh token.
    pub(super) const fn refresh_token(needed: Needed) -> Self {
        Self {
            name: None,
            needed,
            ..Self::needed("", example::REFRESH_TOKEN)
        }
    }

    pub(super) const fn holding(self, holds: MemberForm, is_nullable: bool) -> Self {
        Self {
            holds,
            is_nullable,
            ..self
        }
    }
}

/// The name and the id of a device, which its client chooses.
#[cfg(feature = "openapi")]
pub(super) const DEVICE_NAME: BodyMember =
    BodyMember::maybe("device_name").holding(MemberForm::Device, true);
#[cfg(feature = "openapi")]
pub(super) const DEVICE_ID: BodyMember =
    BodyMember::maybe("device_id").holding(MemberForm::Device, true);
/// The token of a step, and its answer; a backend may ask for other members.
#[cfg(feature = "openapi")]
pub(super) const STEP_TOKEN: BodyMember = BodyMember::needed("step_token", example::STEP_TOKEN);
#[cfg(feature = "openapi")]
pub(super) const CODE: BodyMember = BodyMember {
    is_nullable: false,
    ..BodyMember::maybe("code")
};
