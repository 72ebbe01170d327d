//! A misspelt role.
//! The message is rustc's own: it suggests the variant that is near.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin,
}

#[derive(tollgate::Policy)]
#[policy(role = Role::Admn)]
struct Admins;

fn main() {}
