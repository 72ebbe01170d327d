//! A backend, ready to be expanded.

use proc_macro2::Ident;
use syn::{Generics, Type, Visibility};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct BackendModel {
    pub(crate) krate: Krate,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) user: Type,
    /// The name of the kind of users in the store.
    pub(crate) kind: String,
    pub(crate) login: LoginBody,
    pub(crate) renewal: Renewal,
    pub(crate) shape: RouteOverrides,
}

/// The body of a sign-in.
pub(crate) enum LoginBody {
    Email,
    Username,
    /// A token of another issuer, which is exchanged for tokens of ours.
    Guard,
    Own(Box<Type>),
}

/// The source of the claims of a refresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    Reload,
    Stored,
    /// There is no refresh.
    Never,
}

/// The parts of the routes that differ from the default.
#[derive(Default)]
pub(crate) struct RouteOverrides {
    pub(crate) prefix: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) openapi: Option<bool>,
    pub(crate) signin: Option<RouteWords>,
    pub(crate) refresh: Option<RouteWords>,
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) disabled: Vec<Disabled>,
}

/// The path and words of a route.
pub(crate) struct RouteWords {
    pub(crate) path: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) description: Option<String>,
}

/// A route that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disabled {
    Signin,
    Refresh,
    Reauthenticate,
    Verify,
    Signout,
    SignoutAll,
    Revoke,
    Sessions,
}

impl Disabled {
    /// All routes: how `disable(…)` calls them, and their paths unless an option says
    /// otherwise.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Signin, "signin", "/signin"),
        (Self::Refresh, "refresh", "/refresh-access"),
        (Self::Reauthenticate, "reauthenticate", "/reauthenticate"),
        (Self::Verify, "verify", "/verify"),
        (Self::Signout, "signout", "/signout"),
        (Self::SignoutAll, "signout_all", "/signout-all"),
        (Self::Revoke, "revoke", "/revoke"),
        (Self::Sessions, "sessions", "/sessions"),
    ];
}
