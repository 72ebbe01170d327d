//! The quickstart as a stranger meets it: the real program, started as a process, spoken to over
//! its port.
#![cfg(unix)]

mod banner;
mod crash;
mod fault;
mod helper;
mod interop;
mod nasty;
mod program;
mod replay;
mod start;
mod walk;
