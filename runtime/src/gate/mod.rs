//! The gate: a backend, its settings, its keys and its store, put together once.

mod backend;
mod builder;

pub use backend::{
    AuthBackend, AuthRoute, Authenticate, EmailLogin, FromStored, Own, Refresh, Reload, Renew, RouteShape, Shape, SignIn,
    UsernameLogin, normalize_identifier,
};
pub use builder::GateBuilder;
