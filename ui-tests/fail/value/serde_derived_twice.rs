//! Serde impls that both derives write.
//! rustc reports two impls: leave serde's derive out, or say `#[claim_value(serde = own)]`.
#[derive(Clone, Copy, serde::Serialize, tollgate::ClaimValue)]
enum Role {
    Admin,
}

fn main() {}
