//! Two variants of one name.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin,
    #[claim_value(rename = "admin")]
    Root,
}

fn main() {}
