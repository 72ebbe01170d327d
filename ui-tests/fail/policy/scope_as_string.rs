//! A scope that nothing checks.
#[derive(tollgate::Policy)]
#[policy(scope = "notes:write")]
struct Writers;

fn main() {}
