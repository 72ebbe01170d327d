//! Roles in a list, of which one is enough.
#[derive(tollgate::Policy)]
#[policy(roles = [Role::Admin, Role::Editor])]
struct Asked;

fn main() {}
