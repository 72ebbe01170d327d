//! A set without values.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {}

fn main() {}
