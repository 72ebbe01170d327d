//! Tokens that others issue: which of them count, where their keys come from, what they are
//! exchanged for.

mod action;
mod attested;
mod cache;
mod example;
mod exchange;
mod hostile;
mod issuer;
mod keys;
mod routes;
mod verify;
