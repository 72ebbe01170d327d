#![cfg_attr(
    all(doc, not(doctest), feature = "macros"),
    doc = tollgate_macros::page!("README.md")
)]
#![cfg_attr(
    not(all(doc, not(doctest), feature = "macros")),
    doc = include_str!("../README.md")
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod action;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod clock;
pub mod device;
pub mod error;
pub mod event;
mod flow;
pub mod gate;
pub mod guard;
// Only in the documentation: the pages are no code.
#[cfg(all(doc, not(doctest), feature = "macros"))]
#[doc = tollgate_macros::page!("docs/README.md")]
pub mod guide;
#[cfg(feature = "axum")]
mod http;
pub mod id;
pub mod keys;
#[cfg(any(feature = "jwks-client", feature = "webhook"))]
mod outbound;
#[cfg(feature = "password")]
pub mod password;
pub mod policy;
pub mod prelude;
pub mod realm;
pub mod secret;
pub mod session;
pub mod settings;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
pub mod token;

#[cfg(feature = "axum")]
pub use self::http::{
    by::{By, by},
    extract,
    mount::{Gates, install, try_install},
    problem as reject, protected,
    protected::{ProtectedRouter, routing},
};

#[cfg(feature = "cookies")]
pub use self::http::pages;

/// The former name of [`protected`].
#[cfg(feature = "axum")]
#[doc(hidden)]
pub use self::http::protected as guarded;

#[cfg(feature = "axum")]
#[allow(deprecated, reason = "a program that names it gets the warning")]
pub use self::http::protected::Guarded;

/// The version of sqlx in which `flow.open_in` and `gate.revoke_in` take a transaction.
#[cfg(feature = "postgres")]
#[doc(no_inline)]
pub use store::sqlx;

/// The version of utoipa in which `gate.openapi()` returns a document.
#[cfg(feature = "openapi")]
#[doc(no_inline)]
pub use utoipa;

pub use token::{ClaimValue, JwtClaims};

#[doc(hidden)]
#[path = "expansion/mod.rs"]
pub mod __private;

#[cfg(feature = "macros")]
#[doc = include_str!("docs/claims.md")]
pub use tollgate_macros::JwtClaims;

#[cfg(feature = "macros")]
#[doc = include_str!("docs/value.md")]
pub use tollgate_macros::ClaimValue;

#[cfg(feature = "macros")]
#[doc = include_str!("docs/policy.md")]
pub use tollgate_macros::Policy;

#[cfg(all(feature = "macros", feature = "axum"))]
#[doc = include_str!("docs/caller.md")]
pub use tollgate_macros::Caller;

#[cfg(all(feature = "macros", feature = "axum"))]
#[doc = include_str!("docs/state.md")]
pub use tollgate_macros::GateState;

#[cfg(feature = "macros")]
#[doc = include_str!("docs/backend.md")]
pub use tollgate_macros::auth_backend;
