//! Roles in an order, which they do not have.
#[derive(tollgate::Policy)]
#[policy(role >= Role::Editor)]
struct Asked;

fn main() {}
