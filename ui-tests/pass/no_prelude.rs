//! Expansions work without the prelude, beside items that take the names of the standard library.
#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types)]

mod core {}
mod std {}
mod serde {}
mod tollgate {}
struct Result;
struct Option;
struct Some;
struct None;
struct Ok;
struct Err;
struct String;
struct Vec;
struct usize;
struct bool;
struct str;
trait Clone {}
trait Default {}
trait Serialize {}
trait Send {}
trait Sync {}

#[derive(::core::clone::Clone, ::core::marker::Copy, ::tollgate::ClaimValue)]
enum Role {
    Admin,
}

#[derive(::tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    email: ::std::string::String,
    nickname: ::core::option::Option<::std::string::String>,
    #[claim(default)]
    visits: u32,
    #[claim(with = coded)]
    flag: u8,
    #[claim(roles)]
    roles: ::std::vec::Vec<Role>,
    #[claim(scope)]
    scope: ::std::vec::Vec<Role>,
}

mod coded {
    use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u8, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> ::core::result::Result<u8, D::Error> {
        u8::deserialize(deserializer)
    }
}

#[derive(::tollgate::Policy)]
#[policy(role = Role::Admin, scope = Role::Admin, max_age = "1d")]
struct Admins;

#[derive(::tollgate::Policy)]
#[policy(user = User, any(claim(email = "a@example.com"), claim(visits = 3), not(claim(nickname = "ada")), claim(flag = true)))]
#[policy(acr = "gold", consistency = bounded("2s"))]
struct Known;

#[::tollgate::auth_backend(username, user = User, refresh(from = stored, summary = "renew"), disable(sessions))]
struct Accounts;

impl ::tollgate::gate::Authenticate for Accounts {
    async fn authenticate(
        &self,
        _: ::tollgate::gate::UsernameLogin,
        _: &::tollgate::device::Client,
    ) -> ::core::result::Result<User, ::tollgate::error::AuthError> {
        ::core::result::Result::Err(::tollgate::error::AuthError::Invalid)
    }
}

fn guard<P: ::tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Known>();
    guard::<Admins>();
    let _ = Accounts.gate();
}
