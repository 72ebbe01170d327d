//! A role from an enum that is not in scope.
//! rustc finds no such type: import the enum, or write its whole path.
#[derive(tollgate::Policy)]
#[policy(role = Role::Admin)]
struct Admins;

fn main() {}
