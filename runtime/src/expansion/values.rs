//! Reads and writes claims and their values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::absent;
use crate::token::{ClaimSet, ClaimValue};

/// Writes claims for people and handlers: `sub` first, then the user type's own claims.
pub fn serialize_claims<C: ClaimSet, S: Serializer>(
    claims: &C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("sub", &Shown(claims.subject()))?;
    claims.write(&mut map)?;
    map.end()
}

/// Prints claims with the subject and the names of the other claims, whose values are left out.
pub fn debug_claims<C: ClaimSet>(
    name: &str,
    names: &[&str],
    claims: &C,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut out = f.debug_struct(name);
    out.field("sub", &format_args!("{}", claims.subject()));
    for name in names {
        out.field(name, &format_args!("[redacted]"));
    }
    out.finish()
}

/// Reads a claim into its place in a draft; refuses one that comes twice.
pub fn read_once<'de, A: MapAccess<'de>, T>(
    place: &mut Option<T>,
    name: &'static str,
    map: &mut A,
    read: impl FnOnce(&mut A) -> Result<T, A::Error>,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(serde::de::Error::duplicate_field(name));
    }
    *place = Some(read(map)?);
    Ok(())
}

/// Skips the value of a claim that a type does not have.
pub fn skip_value<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// The type of an own claim.
///
/// Its bounds stand on the blanket impl and not on the trait, so that rustc reports one sentence
/// where one is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a claim",
    label = "a claim is cloned, and written and read with serde",
    note = "implement `Clone`, `Serialize` and `Deserialize` for `{Self}` and hold owned values, \
            name a module with `#[claim(with = …)]`, or leave the field out with `#[claim(skip)]`"
)]
pub trait Claim: Sized + Send + Sync + 'static {
    /// Returns a clone.
    fn duplicate(&self) -> Self;
    /// Writes the claim, unless it is a `None`.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Writes the claim, even if it is a `None`.
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error>;
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
    /// Returns what was read, or what a token without the claim means: `None` of an `Option`, and
    /// otherwise it is refused.
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Claim for T {
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        if absent::is_none(self) {
            return Ok(());
        }
        map.serialize_entry(name, self)
    }
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry(name, self)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
        read.or_else(absent::none).ok_or(name)
    }
}

/// A type parameter of a user or a backend, which goes between threads.
pub trait Shared: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static + ?Sized> Shared for T {}

/// The type of a field marked `#[claim(action)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no digest of an action",
    label = "expected a `String`",
    note = "the digest is a string in the token, and a token without it is refused: write `String`"
)]
pub trait Action {
    /// Returns the digest.
    fn digest(&self) -> &str;
}

impl Action for String {
    fn digest(&self) -> &str {
        self
    }
}

impl Action for Box<str> {
    fn digest(&self) -> &str {
        self
    }
}

/// The type of an own claim that a module writes and reads: `#[claim(with = …)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a claim",
    label = "a claim is cloned, and shared between threads",
    note = "implement `Clone` for `{Self}` and hold owned values, or leave the field out with \
            `#[claim(skip)]`"
)]
pub trait Carried: Sized + Send + Sync + 'static {
    /// Returns a clone.
    fn duplicate(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Carried for T {
    fn duplicate(&self) -> Self {
        self.clone()
    }
}

/// The functions of the module that `#[claim(with = …)]` names; the number tells it from others of
/// the type.
pub trait Coded<T, const AT: usize> {
    /// Writes the value.
    fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
    /// Reads a value.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

/// Writes a claim with the functions of its module.
pub fn write_coded<C: Coded<T, AT>, T, const AT: usize, M: SerializeMap>(
    value: &T,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    struct Written<'a, C, T, const AT: usize>(&'a T, PhantomData<C>);
    impl<C: Coded<T, AT>, T, const AT: usize> Serialize for Written<'_, C, T, AT> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            C::serialize(self.0, serializer)
        }
    }
    map.serialize_entry(name, &Written::<C, T, AT>(value, PhantomData))
}

/// Reads the value of a claim with the functions of its module.
pub fn read_coded<'de, C: Coded<T, AT>, T, const AT: usize, A: MapAccess<'de>>(
    map: &mut A,
) -> Result<T, A::Error> {
    struct Read<C, T, const AT: usize>(T, PhantomData<C>);
    impl<'de, C: Coded<T, AT>, T, const AT: usize> Deserialize<'de> for Read<C, T, AT> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            C::deserialize(deserializer).map(|value| Self(value, PhantomData))
        }
    }
    map.next_value::<Read<C, T, AT>>().map(|read| read.0)
}

/// A value whose `Display` is its wire form.
struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// Writes a closed set's value.
pub fn serialize_value<V: ClaimValue, S: Serializer>(
    value: &V,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.wire())
}

/// Reads a closed set's value.
pub fn deserialize_value<'de, V: ClaimValue, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<V, D::Error> {
    struct Text<V>(PhantomData<V>);
    impl<V: ClaimValue> Visitor<'_> for Text<V> {
        type Value = V;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one of a closed set of strings")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V, E> {
            V::from_wire(text).ok_or_else(|| {
                E::invalid_value(serde::de::Unexpected::Other("unknown value"), &self)
            })
        }
    }
    deserializer.deserialize_str(Text(PhantomData))
}

/// The reason why a text is not a value of a closed set. It does not repeat the text, which may be
/// anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownValue;

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is no value of this set")
    }
}

impl std::error::Error for UnknownValue {}

/// Returns the value of a text, as `FromStr` and `TryFrom` give it.
pub fn value_of_text<V: ClaimValue>(text: &str) -> Result<V, UnknownValue> {
    V::from_wire(text).ok_or(UnknownValue)
}

/// A text that is owned.
pub type OwnedText = String;
