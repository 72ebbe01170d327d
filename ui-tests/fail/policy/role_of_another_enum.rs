//! A role from an enum that is no closed set.
enum Role {
    Admin,
}

#[derive(tollgate::Policy)]
#[policy(role = Role::Admin)]
struct Admins;

fn main() {}
