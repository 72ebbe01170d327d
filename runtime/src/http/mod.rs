//! HTTP: the routes, the extractors, and what refused requests are answered. The only folder that
//! names axum and http.

mod answer;
mod body;
mod cookie;
pub mod extract;
mod guessed;
mod handlers;
#[cfg(feature = "openapi")]
mod member;
pub(crate) mod mount;
pub(crate) mod named;
#[cfg(feature = "openapi")]
mod openapi;
pub mod problem;
pub mod protected;
mod root;
mod routes;
mod row;
mod transport;
