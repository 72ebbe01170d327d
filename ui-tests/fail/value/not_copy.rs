//! A role that cannot be copied.
#[derive(tollgate::ClaimValue)]
enum Role {
    Admin,
}

fn main() {}
