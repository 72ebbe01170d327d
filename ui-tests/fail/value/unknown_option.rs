//! A misspelt option.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(renam_all = "lowercase")]
enum Role {
    Admin,
}

fn main() {}
