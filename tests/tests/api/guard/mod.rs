//! Tokens that others issue: which of them count, where their keys come from, what they are
//! exchanged for.

mod action;
mod attested;
mod audience;
mod cache;
mod change;
mod example;
mod exchange;
mod forms;
mod hook;
mod hostile;
pub(crate) mod issuer;
mod keys;
mod kinds;
mod nested;
mod presets;
mod provider;
mod refused;
mod routes;
mod shapes;
mod tenants;
mod verify;
