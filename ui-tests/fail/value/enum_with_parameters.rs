//! An enum with a parameter.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role<const N: usize> {
    Admin,
}

fn main() {}
