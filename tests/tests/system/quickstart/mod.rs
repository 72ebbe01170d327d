//! The quickstart as a stranger meets it: the real program, started as a process, spoken to over
//! its port.

mod banner;
mod client;
mod crash;
mod fault;
mod interop;
mod nasty;
pub(crate) mod program;
mod replay;
mod start;
mod walk;
