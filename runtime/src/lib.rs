#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod action;
pub mod clock;
#[cfg(feature = "axum")]
mod cookie;
pub mod device;
pub mod error;
pub mod event;
#[cfg(feature = "axum")]
pub mod extract;
pub mod gate;
pub mod guard;
#[cfg(feature = "axum")]
pub mod guarded;
pub mod id;
pub mod keys;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "password")]
pub mod password;
pub mod policy;
pub mod prelude;
#[cfg(feature = "axum")]
pub mod reject;
#[cfg(feature = "axum")]
mod router;
pub mod secret;
pub mod session;
pub mod settings;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "rate-limit")]
mod throttle;
pub mod token;

#[cfg(feature = "axum")]
pub use guarded::{ProtectedRouter, routing};

/// The former name of [`ProtectedRouter`].
#[cfg(feature = "axum")]
#[deprecated(since = "0.1.0", note = "use `ProtectedRouter`")]
pub type Guarded<S = ()> = ProtectedRouter<S>;

pub use token::{ClaimValue, JwtClaims};

#[doc(hidden)]
#[path = "private.rs"]
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

#[cfg(feature = "macros")]
#[doc = include_str!("docs/backend.md")]
pub use tollgate_macros::auth_backend;
