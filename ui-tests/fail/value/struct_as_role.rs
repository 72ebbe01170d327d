//! A struct instead of an enum.
#[derive(Clone, Copy, tollgate::ClaimValue)]
struct Role;

fn main() {}
