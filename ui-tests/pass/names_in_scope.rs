//! Constants, statics and unit structs in scope whose names an expansion might bind.
#![allow(non_upper_case_globals, non_camel_case_types, dead_code, unused_imports)]

mod dsl {
    pub const name: u8 = 1;
    pub const value: u8 = 1;
    pub const text: u8 = 1;
    pub const map: u8 = 1;
    pub const draft: u8 = 1;
    pub static place: u8 = 1;
    pub static subject: u8 = 1;
    pub static f: u8 = 1;
    pub struct serializer;
    pub struct deserializer;
    pub struct user;
    pub struct claims;
}
use dsl::*;
use tollgate::{ClaimValue, JwtClaims, Policy, auth_backend};

#[derive(Clone, Copy, ClaimValue)]
#[claim_value(text)]
enum Role {
    Admin,
}

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(with = hex)]
    key_ring: Vec<u8>,
    level: u8,
}

#[derive(Policy)]
#[policy(user = User, role = Role::Admin, claim(level = 3), max_age = "5m")]
struct Admins;

#[auth_backend(email, user = User, refresh = stored)]
struct Accounts;

impl tollgate::gate::Authenticate for Accounts {
    async fn authenticate(
        &self,
        _: tollgate::gate::EmailLogin,
        _: &tollgate::device::Client,
    ) -> Result<User, tollgate::error::AuthError> {
        Err(tollgate::error::AuthError::Invalid)
    }
}

mod hex {
    pub fn serialize<S: serde::Serializer>(_: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("00")
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<Vec<u8>, D::Error> {
        Ok(Vec::new())
    }
}

fn main() {}
