//! A role that cannot be copied.
//! rustc suggests the derive: write `#[derive(Clone, Copy, ClaimValue)]`.
#[derive(tollgate::ClaimValue)]
enum Role {
    Admin,
}

fn main() {}
