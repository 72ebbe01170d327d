//! A caller without a field.
#[derive(tollgate::Caller)]
struct Admin;

fn main() {}
