//! The expansion may do what the struct allows or expects.
#![deny(warnings)]

mod old {
    #[deprecated]
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    pub struct Address;
}

#[allow(deprecated)]
#[derive(tollgate::JwtClaims)]
pub struct User {
    #[claim(sub)]
    pub id: u64,
    pub address: old::Address,
}

#[derive(tollgate::JwtClaims)]
pub struct Other {
    #[claim(sub)]
    pub id: u64,
    #[expect(deprecated)]
    pub address: old::Address,
}

fn main() {}
