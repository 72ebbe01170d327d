//! A case on one variant.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    #[claim_value(rename_all = "lowercase")]
    Admin,
}

fn main() {}
