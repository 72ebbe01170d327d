//! The items that the expansions of `Caller` and `GateState` name: traits of axum, and functions.

pub use axum::extract::{FromRef, FromRequestParts};
pub use http::request::Parts;

pub use super::extract::state::{held_gate, held_verifier, verifier_for, verifier_of};
pub use super::protected::caller::{CallerRejection, IsCaller, caller};
pub use super::protected::{CallerArgument, CallerUser, Security};
