//! Sets of roles and scopes, as `#[claim(roles)]` and `#[claim(scope)]` mark them.

use serde::ser::SerializeMap;

use serde::de::MapAccess;

use super::values::Claim;
use crate::token::{ClaimValue, ValueSet};

/// The type of a field marked `#[claim(roles)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no roles",
    label = "expected an enum that derives `ClaimValue`, or an `Option`, `Vec` or set of it",
    note = "put `#[derive(Clone, Copy, ClaimValue)]` on the enum of roles, and make the field a \
            `Vec` of it"
)]
pub trait RoleSet: Sized + Send + Sync + 'static {
    /// The type of a role.
    type Role: ClaimValue;
    /// Whether it holds this one.
    fn holds(&self, role: &str) -> bool;
    /// `Clone`.
    fn duplicate(&self) -> Self;
    /// Writes the claim.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: ValueSet<Value: ClaimValue> + Claim> RoleSet for T {
    type Role = T::Value;
    fn holds(&self, role: &str) -> bool {
        ValueSet::holds(self, role)
    }
    fn duplicate(&self) -> Self {
        Claim::duplicate(self)
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        Claim::write(self, name, map)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Claim::read(map)
    }
}

/// The type of a field marked `#[claim(scope)]`: on the wire one space-delimited string (RFC 9068
/// section 2.2.3).
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no scopes",
    label = "expected a `Vec`, `Option` or `BTreeSet` of an enum that derives `ClaimValue`",
    note = "put `#[derive(Clone, Copy, ClaimValue)]` on the enum of scopes, and make the field a \
            `Vec` of it"
)]
pub trait ScopeSet: Sized + Send + Sync + 'static {
    /// The type of a scope.
    type Scope: ClaimValue;
    /// Whether it holds this one.
    fn holds(&self, scope: &str) -> bool;
    /// `Clone`.
    fn duplicate(&self) -> Self;
    /// Writes the claim.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Reads the value of the claim; an unknown scope is an error.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: scope::Scopes + Clone + Send + Sync + 'static> ScopeSet for T {
    type Scope = T::Scope;
    fn holds(&self, scope: &str) -> bool {
        self.list().any(|held| held.wire() == scope)
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        let text: Vec<&str> = self.list().map(|scope| scope.wire()).collect();
        map.serialize_entry(name, &text.join(" "))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<scope::Wire<T>>().map(|wire| wire.0)
    }
}

/// The type of a role or scope in an open set.
pub type AnyText = String;

/// Collections of scopes, and their one string.
pub mod scope {
    use std::collections::BTreeSet;

    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Visitor};

    use super::ClaimValue;

    /// A collection of scopes that can be made of a list again.
    pub trait Scopes: Sized {
        /// The type of a scope.
        type Scope: ClaimValue;
        /// All scopes in it.
        fn list(&self) -> impl Iterator<Item = Self::Scope>;
        /// Made of all scopes; `None` where it cannot hold so many.
        fn collect(scopes: Vec<Self::Scope>) -> Option<Self>;
    }

    impl<V: ClaimValue> Scopes for Vec<V> {
        type Scope = V;
        fn list(&self) -> impl Iterator<Item = V> {
            self.iter().copied()
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            Some(scopes)
        }
    }

    impl<V: ClaimValue> Scopes for Option<V> {
        type Scope = V;
        fn list(&self) -> impl Iterator<Item = V> {
            self.iter().copied()
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            (scopes.len() <= 1).then(|| scopes.first().copied())
        }
    }

    impl<V: ClaimValue + Ord> Scopes for BTreeSet<V> {
        type Scope = V;
        fn list(&self) -> impl Iterator<Item = V> {
            self.iter().copied()
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            Some(scopes.into_iter().collect())
        }
    }

    /// Scopes as they come from the wire.
    pub(super) struct Wire<T>(pub(super) T);

    impl<'de, T: Scopes> Deserialize<'de> for Wire<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(Text(PhantomData)).map(Self)
        }
    }

    struct Text<T>(PhantomData<T>);

    impl<T: Scopes> Visitor<'_> for Text<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("scopes, separated by single spaces")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            let words = text.split(' ').filter(|_| !text.is_empty());
            let scopes: Option<Vec<T::Scope>> = words.map(T::Scope::from_wire).collect();
            scopes.and_then(T::collect).ok_or_else(|| {
                E::invalid_value(serde::de::Unexpected::Other("unknown scopes"), &self)
            })
        }
    }
}
