//! A backend, ready to be expanded.

use proc_macro2::Ident;
use syn::{Attribute, Generics, Type, Visibility};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct BackendModel {
    pub(crate) krate: Krate,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    /// The lints that the struct allows.
    pub(crate) lints: Vec<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) user: Type,
    /// The members that the backend adds to answers.
    pub(crate) answer: Option<Type>,
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
    /// The routes with a path or words of the backend's own, in the order of [`Route::ALL`].
    pub(crate) routes: Vec<(Route, RouteWords)>,
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) disabled: Vec<Route>,
}

/// The path and words of a route.
pub(crate) struct RouteWords {
    pub(crate) path: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) description: Option<String>,
}

/// A route of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Signin,
    Step,
    Refresh,
    Reauthenticate,
    Verify,
    Signout,
    SignoutAll,
    Revoke,
    Sessions,
    EndSession,
    Exchange,
    Introspect,
    Jwks,
}

impl Route {
    /// All routes.
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

    /// The routes that `disable(…)` can leave out.
    pub(crate) const OPTIONAL: [Self; 8] = [
        Self::Signin,
        Self::Refresh,
        Self::Reauthenticate,
        Self::Verify,
        Self::Signout,
        Self::SignoutAll,
        Self::Revoke,
        Self::Sessions,
    ];

    /// Returns its name in the attribute.
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

    /// Returns its default path: below the prefix, except for the key set.
    pub(crate) const fn default_path(self) -> &'static str {
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

    /// Returns the route that it is disabled with, and whose path is the start of its own unless an
    /// option says otherwise.
    pub(crate) const fn base(self) -> Option<(Self, &'static str)> {
        match self {
            Self::Step => Some((Self::Signin, "/step")),
            Self::EndSession => Some((Self::Sessions, "/{id}")),
            _ => None,
        }
    }
}
