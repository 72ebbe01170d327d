//! The handlers of the auth routes, one file each. They know no backend's type, so that they are
//! compiled once.

pub(super) mod admin;
pub(super) mod exchange;
pub(super) mod health;
pub(super) mod introspect;
pub(super) mod refresh;
pub(super) mod revoke;
mod service;
pub(super) mod sessions;
pub(super) mod sign_in;
pub(super) mod sign_out;
pub(super) mod verify;
pub(super) mod well_known;
