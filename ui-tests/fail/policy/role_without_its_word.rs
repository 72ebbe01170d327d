//! A role without the word before it.
#[derive(tollgate::Policy)]
#[policy(Role::Admin)]
struct Asked;

fn main() {}
