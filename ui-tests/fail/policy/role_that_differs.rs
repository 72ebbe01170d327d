//! A role that the caller is not to have.
#[derive(tollgate::Policy)]
#[policy(any(scope = Scope::Write, role != Role::Guest))]
struct Asked;

fn main() {}
