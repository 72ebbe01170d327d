//! Sessions: opens, verifies, remembers and revokes them. Knows no backend and no HTTP.

mod admission;
mod alarms;
mod archive;
mod binding;
mod clock;
mod confirm;
#[cfg(feature = "axum")]
mod connections;
mod engine;
mod filter;
mod follow;
mod issuer;
mod registry;
mod replay;
mod revocation;
mod seen;
mod table;
mod view;

#[cfg(feature = "axum")]
pub use connections::Ended;
pub use issuer::Issued;
pub use revocation::Revoke;
#[cfg(feature = "cli")]
pub(crate) use revocation::event_of;

#[cfg(feature = "axum")]
pub(crate) use admission::SentToken;
pub(crate) use admission::{Admission, Expiry, Occasion};
pub(crate) use binding::Place;
pub(crate) use clock::StoreClock;
pub(crate) use confirm::Unwritten;
#[cfg(feature = "axum")]
pub(crate) use connections::Connections;
#[cfg(feature = "axum")]
pub(crate) use engine::KeyRetired;
pub(crate) use engine::{Engine, EngineParts};
#[cfg(feature = "axum")]
pub(crate) use issuer::secs;
pub(crate) use issuer::{Accompanied, AnyClaims, OwnMembers, SessionPart, SignedAccess};
pub(crate) use registry::{ANY, Member, family};
pub(crate) use seen::last_seen;
pub(crate) use table::{Presented, Row, decide, may_remint};
