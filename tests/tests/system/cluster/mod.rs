//! The cluster example: as its command starts it, and its nodes as processes that are measured, cut
//! off and killed.

mod board;
mod cut;
mod example;
mod kill;
pub(crate) mod node;
mod promise;
