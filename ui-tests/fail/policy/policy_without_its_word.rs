//! Another policy without the word before it.
#[derive(tollgate::Policy)]
#[policy(max_age = "5m", Admins)]
struct Asked;

fn main() {}
