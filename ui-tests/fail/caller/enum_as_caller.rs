//! A caller that is an enum.
#[derive(tollgate::Caller)]
enum Admin { One }

fn main() {}
