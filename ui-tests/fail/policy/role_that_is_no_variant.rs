//! A misspelt role.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin,
}

#[derive(tollgate::Policy)]
#[policy(role = Role::Admn)]
struct Admins;

fn main() {}
