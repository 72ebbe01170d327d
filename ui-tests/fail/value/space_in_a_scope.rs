//! A scope that would be read as two.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Scope {
    #[claim_value(rename = "write all")]
    Write,
}

fn main() {}
