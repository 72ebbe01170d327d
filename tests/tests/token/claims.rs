//! A user's claims, written out as the derive would.

use serde::de::{Error as _, MapAccess};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use tollgate::__private as private;
use tollgate::token::{ClaimSet, ClaimValue, ValueSet as _};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Admin,
    Editor,
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

#[derive(Clone, PartialEq)]
pub(crate) struct UserClaims {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) extra: Option<Value>,
}

#[derive(Default)]
pub(crate) struct Draft {
    email: Option<String>,
    roles: Option<Vec<Role>>,
    extra: Option<Value>,
}

impl UserClaims {
    pub(crate) fn ada() -> Self {
        Self {
            id: Uuid::from_u128(0x0190_5b1e_7c5a_7000_8000_0000_0000_0ada),
            email: "ada@example.com".into(),
            roles: vec![Role::Admin, Role::Editor, Role::Author],
            extra: None,
        }
    }
}

impl ClaimSet for UserClaims {
    type Subject = Uuid;
    type Draft = Draft;

    fn subject(&self) -> &Uuid {
        &self.id
    }

    fn parse_subject(text: &str) -> Option<Uuid> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("email", &self.email)?;
        map.serialize_entry("roles", &self.roles)?;
        if let Some(extra) = &self.extra {
            map.serialize_entry("extra", extra)?;
        }
        Ok(())
    }

    fn place(name: &str) -> Option<usize> {
        ["email", "roles", "extra"]
            .iter()
            .position(|own| *own == name)
    }

    fn read<'de, A: MapAccess<'de>>(
        draft: &mut Draft,
        place: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match place {
            0 => private::read_once(&mut draft.email, "email", map, A::next_value),
            1 => private::read_once(&mut draft.roles, "roles", map, A::next_value),
            2 => private::read_once(&mut draft.extra, "extra", map, A::next_value),
            _ => Err(A::Error::custom("no such place")),
        }
    }

    fn finish(draft: Draft, id: Uuid) -> Result<Self, &'static str> {
        Ok(Self {
            id,
            email: draft.email.ok_or("email")?,
            roles: draft.roles.ok_or("roles")?,
            extra: draft.extra,
        })
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
        private::debug_claims("UserClaims", &["email", "roles", "extra"], self, f)
    }
}
