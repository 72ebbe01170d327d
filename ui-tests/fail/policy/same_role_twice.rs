//! A role that is asked for twice.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }

#[derive(tollgate::Policy)]
#[policy(role = Role::Admin, role = Role::Admin)]
struct Admins;

fn main() {}
