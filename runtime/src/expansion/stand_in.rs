//! What a backend with a mistake has instead of its user and its way to sign in; only beside a
//! compile error.

use serde::de::MapAccess;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::values::{serialize_claims, skip_value};
use crate::device::Client;
use crate::error::AuthError;
use crate::gate::{AuthBackend, SignIn};
use crate::token::{ClaimSet, Issuable, JwtClaims, Open};

/// A user with a subject and nothing else.
#[derive(Clone, Debug)]
pub struct AnyUser(String);

impl JwtClaims for AnyUser {
    type Claims = Self;
    type Subject = String;
    type Secrecy = Open;

    fn subject(&self) -> &String {
        &self.0
    }
    fn to_claims(&self) -> Self {
        self.clone()
    }
}

impl Issuable for AnyUser {}

impl ClaimSet for AnyUser {
    type Subject = String;
    type Draft = ();

    fn subject(&self) -> &String {
        &self.0
    }
    fn parse_subject(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }
    fn place(_: &str) -> Option<usize> {
        None
    }
    fn read<'de, A: MapAccess<'de>>(_: &mut (), _: usize, map: &mut A) -> Result<(), A::Error> {
        skip_value(map)
    }
    fn finish((): (), subject: String) -> Result<Self, &'static str> {
        Ok(Self(subject))
    }
    fn has_role(&self, _: &str) -> bool {
        false
    }
    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

impl Serialize for AnyUser {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_claims(self, serializer)
    }
}

/// A way to sign in that asks for no trait.
#[derive(Clone, Copy, Debug)]
pub struct AnyEntry;

#[diagnostic::do_not_recommend]
impl<B: AuthBackend> SignIn<B> for AnyEntry {
    async fn sign_in(_: &B, _: B::Login, _: &Client) -> Result<B::User, AuthError> {
        Err(AuthError::Invalid)
    }
}
