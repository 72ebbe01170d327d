//! What expansions name. Not part of the public interface: any version may change it.

pub use crate::gate::{AuthBackend, AuthRoute, EmailLogin, FromStored, Own, Reload, RouteShape, Shape, UsernameLogin};
pub use crate::policy::{HasRoles, HasScopes, PolicyFor, Rule};
pub use crate::token::{ClaimSet, ClaimValue, Confidential, JwtClaims, Open, Subject, ValueSet};
pub use serde;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// The builder that `fn gate(self)` starts.
pub use crate::gate::GateBuilder;

/// Writes claims for people and handlers: `sub` first, then the own ones.
pub fn serialize_claims<C: ClaimSet, S: Serializer>(claims: &C, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("sub", &Shown(claims.subject()))?;
    claims.write(&mut map)?;
    map.end()
}

/// Prints claims with the subject and the names of the others, whose values are left out.
pub fn debug_claims<C: ClaimSet>(name: &str, names: &[&str], claims: &C, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut out = f.debug_struct(name);
    out.field("sub", &format_args!("{}", claims.subject()));
    for name in names {
        out.field(name, &format_args!("[redacted]"));
    }
    out.finish()
}

/// Reads the next value into an empty place of a draft.
pub fn read_once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    place: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(serde::de::Error::duplicate_field(name));
    }
    *place = Some(map.next_value()?);
    Ok(())
}

/// A value whose `Display` is its wire form.
struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// Writes a closed set's value.
pub fn serialize_value<V: ClaimValue, S: Serializer>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.wire())
}

/// Reads a closed set's value.
pub fn deserialize_value<'de, V: ClaimValue, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
    struct Text<V>(std::marker::PhantomData<V>);
    impl<V: ClaimValue> Visitor<'_> for Text<V> {
        type Value = V;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one of a closed set of strings")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V, E> {
            V::from_wire(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Other("unknown value"), &self))
        }
    }
    deserializer.deserialize_str(Text(std::marker::PhantomData))
}

/// The wire form of a field marked `#[claim(scope)]`: one space-delimited string (RFC 9068 section 2.2.3). A `with` module.
pub mod scope {
    use super::*;

    /// A field type that is written as one space-delimited string.
    pub trait ScopeSet: Sized {
        /// The type of a scope.
        type Value: ClaimValue;
        /// All scopes in it.
        fn list(&self) -> impl Iterator<Item = Self::Value>;
        /// Made of all scopes; `None` where it cannot hold so many.
        fn collect(scopes: Vec<Self::Value>) -> Option<Self>;
    }

    impl<V: ClaimValue> ScopeSet for Vec<V> {
        type Value = V;
        fn list(&self) -> impl Iterator<Item = V> {
            self.iter().copied()
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            Some(scopes)
        }
    }

    impl<V: ClaimValue> ScopeSet for Option<V> {
        type Value = V;
        fn list(&self) -> impl Iterator<Item = V> {
            self.iter().copied()
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            (scopes.len() <= 1).then(|| scopes.first().copied())
        }
    }

    /// Writes scopes.
    pub fn serialize<T: ScopeSet, S: Serializer>(scopes: &T, serializer: S) -> Result<S::Ok, S::Error> {
        let text: Vec<&str> = scopes.list().map(|scope| scope.wire()).collect();
        serializer.serialize_str(&text.join(" "))
    }

    /// Reads scopes; an unknown one is an error.
    pub fn deserialize<'de, T: ScopeSet, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        struct Text<T>(std::marker::PhantomData<T>);
        impl<T: ScopeSet> Visitor<'_> for Text<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("scopes, separated by single spaces")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
                let words = text.split(' ').filter(|_| !text.is_empty());
                let scopes: Option<Vec<T::Value>> = words.map(T::Value::from_wire).collect();
                scopes.and_then(T::collect).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Other("unknown scopes"), &self))
            }
        }
        deserializer.deserialize_str(Text(std::marker::PhantomData))
    }
}
