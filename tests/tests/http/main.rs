//! What clients see: one file a capability, each through the router as an application mounts it.

mod access;
mod account;
mod binding;
mod browser;
mod client;
mod cookies;
mod devices;
mod encrypted;
mod guarded;
mod introspect;
mod jwks;
mod layers;
mod limits;
mod metrics;
mod openapi;
mod policy;
mod refresh;
mod revoke;
mod sessions;
mod signin;
mod throttle;
