//! What a program that uses tollgate imports: `use tollgate::prelude::*`.

pub use crate::device::Client;
pub use crate::error::{AuthError, Code, Refusal, Step};
#[cfg(feature = "axum")]
pub use crate::extract::{Auth, Current, OneOf, Optional, Public};
#[cfg(feature = "jwe")]
pub use crate::gate::Encrypted;
pub use crate::gate::{
    Access, Authenticate, EmailLogin, Exchange, Gate, GuardLogin, Refresh, Sessions, StepAnswer,
    UsernameLogin, Verifier,
};
#[cfg(feature = "axum")]
pub use crate::guarded::Guarded;
pub use crate::id::SessionId;
pub use crate::keys::{Algorithm, KeyRing};
#[cfg(feature = "password")]
pub use crate::password::Passwords;
pub use crate::policy::Anyone;
#[cfg(feature = "axum")]
pub use crate::reject::Rejection;
pub use crate::secret::{Password, Secret};
pub use crate::session::{Issued, Revoke};
pub use crate::settings::Settings;
#[cfg(feature = "sqlite")]
pub use crate::store::SqliteStore;
pub use crate::store::{MemoryStore, Store};
#[cfg(feature = "macros")]
pub use crate::{ClaimValue, JwtClaims, Policy, auth_backend};
