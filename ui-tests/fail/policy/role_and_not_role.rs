//! A role that is both asked for and refused.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }

#[derive(tollgate::Policy)]
#[policy(role = Role::Admin, not(role = Role::Admin))]
struct Nobody;

fn main() {}
