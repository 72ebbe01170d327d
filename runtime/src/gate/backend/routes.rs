//! Paths, names and presence of a backend's routes.

use std::borrow::Cow;

/// Paths, names and presence of a backend's routes: the options of `#[auth_backend(…)]` other than
/// the types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// The prefix of the routes: `/auth`.
    pub prefix: &'static str,
    /// The tag in the OpenAPI document.
    pub tag: &'static str,
    /// `true` if the routes are in the OpenAPI document.
    pub openapi: bool,
    /// The routes with a path or words of the backend's own.
    pub routes: &'static [(AuthRoute, RouteOptions)],
    /// The member that carries the access token: `access_token`.
    pub access_token: &'static str,
    /// The member that carries the refresh token: `refresh_token`.
    pub refresh_token: &'static str,
    /// Routes that are left out.
    pub disabled: &'static [AuthRoute],
    /// The package of the backend: its name and version are those of the OpenAPI document.
    pub package: Package,
}

/// A package, as Cargo names it while it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name; `None` if Cargo does not compile it.
    pub name: Option<&'static str>,
    /// Its version.
    pub version: Option<&'static str>,
}

impl Package {
    /// Returns the package of this name and version.
    #[must_use]
    pub const fn new(name: Option<&'static str>, version: Option<&'static str>) -> Self {
        Self { name, version }
    }
}

impl RouteConfig {
    /// The configuration without any option.
    pub const DEFAULT: Self = Self {
        prefix: "/auth",
        tag: "auth",
        openapi: true,
        routes: &[],
        access_token: "access_token",
        refresh_token: "refresh_token",
        disabled: &[],
        package: Package::new(None, None),
    };
}

impl RouteConfig {
    /// Returns the options of a route.
    #[must_use]
    pub fn options(&self, route: AuthRoute) -> RouteOptions {
        let own = self.routes.iter().find(|(other, _)| *other == route);
        own.map_or(RouteOptions::NONE, |(_, options)| *options)
    }

    /// Returns the path of a route: that of its options, and otherwise its usual one. It is below
    /// the prefix, but for [`AuthRoute::Jwks`], whose path is at the root.
    #[must_use]
    pub fn path(&self, route: AuthRoute) -> Cow<'static, str> {
        match (self.options(route).path, route.base()) {
            (Some(path), _) => path.into(),
            (None, Some((base, suffix))) => format!("{}{suffix}", self.path(base)).into(),
            (None, None) => route.usual_path().into(),
        }
    }

    /// Returns the path of a route with the prefix, as the router has it.
    #[cfg(feature = "axum")]
    pub(crate) fn full_path(&self, route: AuthRoute) -> String {
        match route {
            AuthRoute::Jwks => self.path(route).into_owned(),
            _ => format!("{}{}", self.prefix, self.path(route)),
        }
    }

    /// Returns whether a route is left out: by its own name, or with the route that it belongs to.
    #[cfg(feature = "axum")]
    pub(crate) fn is_disabled(&self, route: AuthRoute) -> bool {
        let base = route.base().map(|(base, _)| base);
        let names = [Some(route), base];
        names
            .into_iter()
            .flatten()
            .any(|name| self.disabled.contains(&name))
    }
}

/// Path and words of one route; `None` is what the route has without options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteOptions {
    /// The path below the prefix, with a leading slash.
    pub path: Option<&'static str>,
    /// One line for the OpenAPI document.
    pub summary: Option<&'static str>,
    /// More for the OpenAPI document.
    pub description: Option<&'static str>,
}

impl RouteOptions {
    /// No option.
    pub const NONE: Self = Self {
        path: None,
        summary: None,
        description: None,
    };

    /// Sets the path.
    #[must_use]
    pub const fn path(self, path: &'static str) -> Self {
        Self {
            path: Some(path),
            ..self
        }
    }

    /// Sets the line for the OpenAPI document.
    #[must_use]
    pub const fn summary(self, text: &'static str) -> Self {
        Self {
            summary: Some(text),
            ..self
        }
    }

    /// Sets the text for the OpenAPI document.
    #[must_use]
    pub const fn description(self, text: &'static str) -> Self {
        Self {
            description: Some(text),
            ..self
        }
    }
}

/// A route of a gate. A backend gives each a path and words, as in `signout(path = "/logout")`, and
/// may leave most of them out: `disable(signout_all, revoke)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRoute {
    /// `POST /signin`.
    Signin,
    /// `POST /signin/step`, which is there with [`Signin`](Self::Signin).
    Step,
    /// `POST /refresh-access`.
    Refresh,
    /// `POST /reauthenticate`.
    Reauthenticate,
    /// `POST /verify`.
    Verify,
    /// `POST /signout`.
    Signout,
    /// `POST /signout-all`.
    SignoutAll,
    /// `POST /revoke`.
    Revoke,
    /// `GET /sessions`.
    Sessions,
    /// `DELETE /sessions/{id}`, which is there with [`Sessions`](Self::Sessions).
    EndSession,
    /// `POST /exchange`, which is there with a [moving guard](crate::guard::MovingGuard).
    Exchange,
    /// `POST /introspect`, which is there with `introspection.services`.
    Introspect,
    /// `GET /.well-known/jwks.json`, at the root.
    Jwks,
}

impl AuthRoute {
    /// All routes.
    #[cfg(feature = "axum")]
    pub(crate) const ALL: [Self; 13] = [
        Self::Signin,
        Self::Step,
        Self::Refresh,
        Self::Reauthenticate,
        Self::Verify,
        Self::Signout,
        Self::SignoutAll,
        Self::Revoke,
        Self::Sessions,
        Self::EndSession,
        Self::Exchange,
        Self::Introspect,
        Self::Jwks,
    ];

    /// Returns the route that it is left out with, and whose path is the start of its own unless an
    /// option says otherwise.
    const fn base(self) -> Option<(Self, &'static str)> {
        match self {
            Self::Step => Some((Self::Signin, "/step")),
            Self::EndSession => Some((Self::Sessions, "/{id}")),
            _ => None,
        }
    }

    /// Returns its name in `#[auth_backend(…)]`.
    #[cfg(feature = "axum")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Signin => "signin",
            Self::Step => "step",
            Self::Refresh => "refresh",
            Self::Reauthenticate => "reauthenticate",
            Self::Verify => "verify",
            Self::Signout => "signout",
            Self::SignoutAll => "signout_all",
            Self::Revoke => "revoke",
            Self::Sessions => "sessions",
            Self::EndSession => "end_session",
            Self::Exchange => "exchange",
            Self::Introspect => "introspect",
            Self::Jwks => "jwks",
        }
    }

    /// Returns its path without options.
    const fn usual_path(self) -> &'static str {
        match self {
            Self::Signin => "/signin",
            Self::Step => "/signin/step",
            Self::Refresh => "/refresh-access",
            Self::Reauthenticate => "/reauthenticate",
            Self::Verify => "/verify",
            Self::Signout => "/signout",
            Self::SignoutAll => "/signout-all",
            Self::Revoke => "/revoke",
            Self::Sessions => "/sessions",
            Self::EndSession => "/sessions/{id}",
            Self::Exchange => "/exchange",
            Self::Introspect => "/introspect",
            Self::Jwks => "/.well-known/jwks.json",
        }
    }
}
