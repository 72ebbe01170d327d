//! The claims that both sides read: a subject, an address, three roles.

use serde::de::{Error as _, MapAccess};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tollgate::__private as private;
use tollgate::token::{ClaimSet, ClaimValue, ValueSet as _};
use uuid::Uuid;

/// A closed set of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `admin`.
    Admin,
    /// `editor`.
    Editor,
    /// `author`.
    Author,
}

impl ClaimValue for Role {
    const ALL: &'static [Self] = &[Self::Admin, Self::Editor, Self::Author];

    fn wire(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Author => "author",
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        private::serialize_value(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        private::deserialize_value(deserializer)
    }
}

/// The claims, written out as the derive would.
#[derive(Clone, PartialEq)]
pub struct UserClaims {
    /// The subject.
    pub id: Uuid,
    /// An address.
    pub email: String,
    /// What policies look at.
    pub roles: Vec<Role>,
}

/// Claims that are being read.
#[derive(Default)]
pub struct Draft {
    email: Option<String>,
    roles: Option<Vec<Role>>,
}

impl UserClaims {
    /// Somebody with three roles.
    #[must_use]
    pub fn ada() -> Self {
        Self {
            id: Uuid::from_u128(0x0190_5b1e_7c5a_7000_8000_0000_0000_0ada),
            email: "ada@example.com".into(),
            roles: vec![Role::Admin, Role::Editor, Role::Author],
        }
    }
}

impl ClaimSet for UserClaims {
    type Subject = Uuid;
    type Draft = Draft;

    fn subject(&self) -> &Uuid {
        &self.id
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("email", &self.email)?;
        map.serialize_entry("roles", &self.roles)?;
        Ok(())
    }

    fn place(name: &str) -> Option<usize> {
        ["email", "roles"].iter().position(|own| *own == name)
    }

    fn read<'de, A: MapAccess<'de>>(draft: &mut Draft, place: usize, map: &mut A) -> Result<(), A::Error> {
        match place {
            0 => private::read_once(&mut draft.email, "email", map),
            1 => private::read_once(&mut draft.roles, "roles", map),
            _ => Err(A::Error::custom("no such place")),
        }
    }

    fn finish(draft: Draft, id: Uuid) -> Result<Self, &'static str> {
        Ok(Self { id, email: draft.email.ok_or("email")?, roles: draft.roles.ok_or("roles")? })
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.holds(role)
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

impl Serialize for UserClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        private::serialize_claims(self, serializer)
    }
}

impl std::fmt::Debug for UserClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        private::debug_claims("UserClaims", &["email", "roles"], self, f)
    }
}
