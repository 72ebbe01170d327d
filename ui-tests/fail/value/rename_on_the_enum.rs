//! A name of one variant on the enum.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(rename = "root")]
enum Role {
    Admin,
}

fn main() {}
