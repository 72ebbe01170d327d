//! A case that does not exist.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(rename_all = "Snake")]
enum Role {
    Admin,
}

fn main() {}
