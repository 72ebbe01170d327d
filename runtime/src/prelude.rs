//! The items that a program with tollgate usually imports: `use tollgate::prelude::*`.

pub use crate::device::Client;
pub use crate::error::{AuthError, Code, Refusal, SignInStep};
#[cfg(not(feature = "jwe"))]
#[doc(hidden)]
pub use crate::gate::Encrypted;
#[cfg(feature = "jwe")]
pub use crate::gate::Encrypted;
#[cfg(not(feature = "password"))]
#[doc(hidden)]
pub use crate::gate::absent::Passwords;
pub use crate::gate::{
    Access, Authenticate, EmailLogin, EndSessions, Exchange, Gate, GuardLogin, Refresh, StepAnswer,
    UsernameLogin, Verifier,
};
#[cfg(feature = "axum")]
pub use crate::http::extract::{
    Allowed, Auth, AuthFlow, Current, Lenient, OneOf, Public, SignedIn,
};
#[cfg(feature = "axum")]
pub use crate::http::problem::Rejection;
#[cfg(feature = "axum")]
pub use crate::http::protected::ProtectedRouter;
pub use crate::id::SessionId;
pub use crate::keys::{Algorithm, KeyRing};
#[cfg(feature = "password")]
pub use crate::password::Passwords;
pub use crate::policy::{AnyOf, Anyone};
pub use crate::secret::{Password, Secret};
pub use crate::session::{Issued, Revoke};
pub use crate::settings::Settings;
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
pub use crate::store::SqliteStore;
#[cfg(feature = "sqlite")]
pub use crate::store::SqliteStore;
pub use crate::store::{MemoryStore, Store};
#[cfg(all(feature = "macros", feature = "axum"))]
pub use crate::{Caller, GateState};
pub use crate::{ClaimValue, JwtClaims};
#[cfg(feature = "macros")]
pub use crate::{Policy, auth_backend};

#[cfg(feature = "axum")]
#[doc(hidden)]
pub use crate::http::extract::Optional;
#[cfg(feature = "axum")]
#[doc(hidden)]
#[allow(deprecated, reason = "a program that names it gets the warning")]
pub use crate::http::protected::Guarded;
#[doc(hidden)]
#[allow(deprecated, reason = "a program that names it gets the warning")]
pub use crate::{error::Step, gate::Sessions};
