//! Programs as strangers meet them: started as processes, spoken to over their ports, cut off and
//! killed.
#![cfg(unix)]

mod cluster;
mod command_line;
mod documents;
mod pages_browser;
mod pages_example;
mod quickstart;
mod two_kinds;
