//! A role from an enum that is no closed set.
//! rustc misses the hidden function of the derive, whose name says what to write on the enum.
enum Role {
    Admin,
}

#[derive(tollgate::Policy)]
#[policy(role = Role::Admin)]
struct Admins;

fn main() {}
