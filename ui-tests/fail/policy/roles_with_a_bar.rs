//! Roles with a bar between them.
#[derive(tollgate::Policy)]
#[policy(role = Role::Admin | Role::Editor)]
struct Asked;

fn main() {}
