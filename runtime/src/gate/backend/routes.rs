//! Paths, names and presence of a backend's routes.

/// Paths, names and presence of a backend's routes: the options of `#[auth_backend(…)]` other than
/// the types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// The prefix of the routes: `/auth`.
    pub prefix: &'static str,
    /// The tag in the OpenAPI document.
    pub tag: &'static str,
    /// `true` where the routes are in the OpenAPI document.
    pub openapi: bool,
    /// `POST /signin`.
    pub signin: RouteOptions,
    /// `POST /refresh-access`.
    pub refresh: RouteOptions,
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
    /// Its name; `None` where Cargo does not compile it.
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
        signin: RouteOptions {
            path: "/signin",
            summary: None,
            description: None,
        },
        refresh: RouteOptions {
            path: "/refresh-access",
            summary: None,
            description: None,
        },
        access_token: "access_token",
        refresh_token: "refresh_token",
        disabled: &[],
        package: Package::new(None, None),
    };
}

/// Path and words of one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteOptions {
    /// The path below the prefix, with a leading slash.
    pub path: &'static str,
    /// One line for the OpenAPI document.
    pub summary: Option<&'static str>,
    /// More for the OpenAPI document.
    pub description: Option<&'static str>,
}

/// A route that a backend may leave out: `disable(signout_all, revoke)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRoute {
    /// `POST /signin`.
    Signin,
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
    /// `GET /sessions` and `DELETE /sessions/{id}`.
    Sessions,
}
