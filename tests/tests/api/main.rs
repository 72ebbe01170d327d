//! The gate as clients and applications see it: one file a capability, most of it through the
//! router as an application mounts it.

mod access;
mod account;
mod action;
mod binding;
mod browser;
mod cache;
mod caller;
mod client;
mod cookies;
mod devices;
mod disconnect;
mod encrypted;
mod guard;
mod introspect;
mod issue;
mod jwks;
mod layers;
mod limits;
mod metrics;
mod openapi;
mod password;
mod policy;
mod protected;
mod realms;
mod refresh;
mod refresh_cookie;
mod revoke;
mod sessions;
mod settings;
mod sign_in;
mod step;
mod throttle;
