//! Code that several stores share.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(super) mod columns;
pub(super) mod fact;
pub(super) mod hex;
pub(super) mod limit;
pub(super) mod operation;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(super) mod percent;
pub(super) mod realm;
pub(super) mod registry;
pub(super) mod revocation;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(super) mod row;
pub(super) mod session;
pub(super) mod subject;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod tables;
