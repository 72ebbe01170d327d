//! A role that does not say where it belongs.
#[derive(tollgate::Policy)]
#[policy(role = Admin)]
struct Admins;

fn main() {}
