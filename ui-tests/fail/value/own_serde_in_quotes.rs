//! The option `serde = own` in quotes.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(serde = "own")]
enum Role {
    Admin,
}

fn main() {}
