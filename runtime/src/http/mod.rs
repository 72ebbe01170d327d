//! HTTP: the routes, the extractors, and the answers to refused requests. The only folder that
//! names axum and http.

mod answer;
mod body;
pub(crate) mod by;
mod convert;
mod cookie;
mod extra;
pub mod extract;
mod form;
mod grpc;
mod guessed;
mod handlers;
mod hidden;
#[cfg(feature = "testing")]
pub(crate) mod kit;
#[cfg(feature = "cookies")]
mod leave;
#[cfg(feature = "openapi")]
mod member;
pub(crate) mod mount;
pub(crate) mod named;
mod next;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "cookies")]
pub mod pages;
pub mod problem;
pub mod protected;
mod root;
mod routes;
mod row;
mod signed_in;
mod transport;
