//! What expansions name. Not part of the public interface: any version may change it.

pub use crate::gate::{
    AuthBackend, AuthRoute, EmailLogin, Exchanged, FromStored, GuardLogin, Own, Reload,
    RouteConfig, RouteOptions, UsernameLogin,
};
pub use crate::policy::{
    Comparable, HasRoles, HasScopes, Number, PolicyFor, Rule, Text, Truth, Value,
};
pub use crate::settings::Consistency;
pub use crate::token::{
    ClaimSet, ClaimValue, Confidential, Issuable, JwtClaims, Open, Subject, ValueSet,
};
pub use serde;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The builder that `fn gate(self)` starts.
pub use crate::gate::GateBuilder;

/// Writes claims for people and handlers: `sub` first, then the own ones.
pub fn serialize_claims<C: ClaimSet, S: Serializer>(
    claims: &C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("sub", &Shown(claims.subject()))?;
    claims.write(&mut map)?;
    map.end()
}

/// Prints claims with the subject and the names of the others, whose values are left out.
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

/// Reads a claim into an empty place of a draft.
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

/// Passes over the value of a claim that a type does not have.
pub fn skip_value<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// The type of a field marked `#[claim(sub)]`: says in one sentence what rustc says of each bound
/// of [`Subject`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a subject",
    label = "a subject is cloned, written with `Display` and read back with `FromStr`",
    note = "use a `Uuid`, an integer or a `String`, or implement `Clone`, `Display` and `FromStr` \
            for `{Self}`"
)]
pub trait Identity: Sized {
    /// The type itself. It has another name, so that an expansion can speak of a type that cannot
    /// be a subject.
    type Subject: Subject;
    /// The subject.
    fn as_subject(&self) -> &Self::Subject;
    /// The field.
    fn from_subject(subject: Self::Subject) -> Self;
    /// `Clone`.
    fn duplicate(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Subject> Identity for T {
    type Subject = T;
    fn as_subject(&self) -> &T {
        self
    }
    fn from_subject(subject: T) -> Self {
        subject
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
}

/// The type of an own claim.
///
/// What it needs stands on the blanket impl and not on the trait, so that rustc says one sentence
/// where it is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a claim",
    label = "a claim is cloned, and written and read with serde",
    note = "implement `Clone`, `Serialize` and `Deserialize` for `{Self}` and hold owned values, \
            name a module with `#[claim(with = …)]`, or leave the field out with `#[claim(skip)]`"
)]
pub trait Claim: Sized + Send + Sync + 'static {
    /// `Clone`.
    fn duplicate(&self) -> Self;
    /// Writes the claim.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Claim for T {
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, self)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

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

/// The type of a field marked `#[claim(roles)]` in claims that others issue. What it does not know,
/// it leaves out: somebody else's role is no mistake, and no right either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no roles",
    label = "expected a `Vec` or set of `String`, or of an enum that derives `ClaimValue`",
    note = "write `Vec<String>` where the issuer's roles are not a closed set"
)]
pub trait ForeignRoles: Sized + Send + Sync + 'static {
    /// The type of a role.
    type Role;
    /// Whether it holds this one.
    fn holds(&self, role: &str) -> bool;
    /// `Clone`.
    fn duplicate(&self) -> Self;
    /// Writes the claim.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Reads the value of the claim: one string, or a list of them.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: foreign::Words + Clone + Send + Sync + 'static> ForeignRoles for T {
    type Role = T::Word;
    fn holds(&self, role: &str) -> bool {
        foreign::holds(self, role)
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, &foreign::words(self))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<foreign::Wire<T, false>>()
            .map(|wire| wire.0)
    }
}

/// The type of a field marked `#[claim(scope)]` in claims that others issue: one space-delimited
/// string (RFC 9068 section 2.2.3), or a list of strings, as some have it. What it does not know,
/// it leaves out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no scopes",
    label = "expected a `Vec` or set of `String`, or of an enum that derives `ClaimValue`",
    note = "write `Vec<String>` where the issuer's scopes are not a closed set"
)]
pub trait ForeignScopes: Sized + Send + Sync + 'static {
    /// The type of a scope.
    type Scope;
    /// Whether it holds this one.
    fn holds(&self, scope: &str) -> bool;
    /// `Clone`.
    fn duplicate(&self) -> Self;
    /// Writes the claim.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: foreign::Words + Clone + Send + Sync + 'static> ForeignScopes for T {
    type Scope = T::Word;
    fn holds(&self, scope: &str) -> bool {
        foreign::holds(self, scope)
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, &foreign::words(self).join(" "))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<foreign::Wire<T, true>>()
            .map(|wire| wire.0)
    }
}

/// The type of a role or scope in an open set.
pub type AnyText = String;

/// The type of a field marked `#[claim(action)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no digest of an action",
    label = "expected a `String`",
    note = "the digest is a string in the token, and no token without it counts: write `String`"
)]
pub trait Action {
    /// The digest.
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
    /// `Clone`.
    fn duplicate(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Carried for T {
    fn duplicate(&self) -> Self {
        self.clone()
    }
}

/// An enum that derives `ClaimValue` has it for each of its variants; the number stands for the
/// variant's name.
pub trait NamedVariant<const NAME: u64> {
    /// Its string on the wire.
    const WIRE: &'static str;
}

/// [`NamedVariant`] as policies ask for it, so that rustc says one sentence where it is missing,
/// and no numbers.
#[diagnostic::on_unimplemented(
    message = "this is no value of `{Self}`",
    label = "`{Self}` has no variant of this name, or does not derive `ClaimValue`",
    note = "a policy asks for a variant of an enum with `#[derive(Clone, Copy, ClaimValue)]`, \
            spelt as in the enum"
)]
pub trait Variant<const NAME: u64> {
    /// Its string on the wire.
    const WIRE: &'static str;
}

#[diagnostic::do_not_recommend]
impl<const NAME: u64, V: NamedVariant<NAME>> Variant<NAME> for V {
    const WIRE: &'static str = V::WIRE;
}

/// The string of a variant. The variant itself is there to be found, renamed and checked where a
/// policy names it.
#[must_use]
pub const fn wire<const NAME: u64, V: Variant<NAME>>(_: &V) -> &'static str {
    V::WIRE
}

/// A user type that derives `JwtClaims` has it for each of its own claims; the number stands for
/// the field's name, `K` for the kind of value that a policy compares the claim with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no claim of this name",
    label = "no field of `{Self}` of this name is a claim that policies may compare",
    note = "a policy names the field as it stands in the struct, and one that is not skipped; \
            roles and scopes are asked for with `role` and `scope`"
)]
pub trait HasClaim<const NAME: u64, K> {
    /// The claim's name on the wire.
    const WIRE: &'static str;
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

/// The subject of a struct that does not say which it is; only beside a compile error.
pub type AnySubject = String;

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

/// Roles and scopes of others, of which not all need be known.
pub mod foreign;

/// Collections of scopes, and their one string.
pub mod scope {
    use std::collections::BTreeSet;

    use super::*;

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
