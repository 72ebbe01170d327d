//! Columns of sqlx, in a program that did not turn the feature on.
//! Add `sqlx` to the features of tollgate in Cargo.toml.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(sqlx)]
enum Role {
    Admin,
}

fn main() {}
