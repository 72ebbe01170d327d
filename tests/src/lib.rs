//! An application whose users a test can change under way, a client that speaks HTTP to it, and the
//! servers and programs that tests start.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_errors_doc
)]

mod answer;
mod app;
pub mod flows;
#[cfg(doctest)]
mod guide;
mod other_store;
pub mod process;
pub mod serve;
pub mod support;
mod user;

pub use answer::{Answer, Tokens, request};
pub use app::{App, AppBuilder, Heard, routes};
pub use other_store::{Act, OtherStore};
pub use tollgate::testing::START;
pub use user::{
    Accounts, Admins, FreshAdmins, Hook, HookFuture, PASSWORD, Role, Scope, StrictAdmins, User,
    UserClaims, Writers,
};
