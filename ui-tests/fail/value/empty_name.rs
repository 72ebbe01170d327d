//! A variant without a name.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    #[claim_value(rename = "")]
    Admin,
}

fn main() {}
