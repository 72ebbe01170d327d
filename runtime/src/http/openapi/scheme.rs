//! The names of a gate's parts in the document: those of a named realm begin with its name.

use std::any::TypeId;

use crate::gate::Running;

/// The names of a gate in the document.
pub(super) struct Names {
    /// The name of the realm and `_`; empty in the default realm.
    prefix: String,
}

impl Names {
    pub(super) fn of(gate: &Running) -> Self {
        let prefix = gate.realm().map(|realm| format!("{}_", realm.as_str()));
        Self {
            prefix: prefix.unwrap_or_default().replace('-', "_"),
        }
    }

    /// Returns the name of an item that every gate has for itself: an operation, a scheme.
    pub(super) fn own(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Returns the name of a schema. Gates share the schemas that are the same for all.
    pub(super) fn schema(&self, name: &str) -> String {
        if matches!(name, TOKENS | ACCESS_TOKEN | SIGNED_IN) {
            self.own(name)
        } else {
            name.to_owned()
        }
    }
}

/// The security schemes of the tokens of a gate's users.
pub(super) struct TokenSchemes {
    /// The type of the users; `None` if it is not known.
    pub(super) user: Option<TypeId>,
    /// The scheme of tokens in a header.
    pub(super) bearer: String,
    /// The scheme of tokens in a cookie, where the gate takes them.
    pub(super) cookie: Option<String>,
}

/// The name of the security scheme of access tokens in the document.
pub(super) const BEARER: &str = "access_token";
/// The name of the scheme of access tokens in cookies, if those are on.
pub(super) const COOKIE: &str = "access_cookie";
/// The name of the scheme of refresh tokens in cookies.
pub(super) const REFRESH_COOKIE: &str = "refresh_cookie";
/// The name of the scheme of access tokens of other issuers.
pub(super) const FOREIGN: &str = "foreign_token";
/// The name of the scheme of services that ask about tokens, if there are any.
pub(super) const SERVICE: &str = "service";
/// The name of the schema of a session's tokens, which a backend may change.
pub(super) const TOKENS: &str = "AuthTokens";
/// The name of the schema of a session's tokens with the members that the backend adds.
pub(super) const SIGNED_IN: &str = "AuthSignedIn";
/// The name of the schema of an access token alone.
pub(super) const ACCESS_TOKEN: &str = "AuthAccessToken";
