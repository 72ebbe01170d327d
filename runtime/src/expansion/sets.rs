//! Sets of roles and scopes, as `#[claim(roles)]` and `#[claim(scope)]` mark them.

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::values::Claim;
use crate::token::{ClaimValue, ValueSet};

/// The type of a field marked `#[claim(roles)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no roles",
    label = "expected an enum that derives `ClaimValue`, or an `Option`, list or set of it",
    note = "put `#[derive(Clone, Copy, ClaimValue)]` on the enum of roles, and make the field a \
            `Vec` of it; a container of another crate says what it holds: `#[claim(roles, of = \
            Role)]`"
)]
pub trait RoleSet: Sized + Send + Sync + 'static {
    /// The type of a role.
    type Role: ClaimValue;
    /// Returns whether it holds this role.
    fn holds(&self, role: &str) -> bool;
    /// Returns a clone.
    fn duplicate(&self) -> Self;
    /// Writes the claim, unless it is absent.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Writes the claim, even if it is absent.
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error>;
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
    /// Returns what was read, or what a token without the claim means.
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
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
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        Claim::write_always(self, name, map)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        Claim::read(map)
    }
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
        Claim::finish(read, name)
    }
}

/// The type of a field marked `#[claim(scope)]`: on the wire one space-delimited string (RFC 9068
/// section 2.2.3).
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no scopes",
    label = "expected an enum that derives `ClaimValue`, or an `Option`, list or set of it",
    note = "put `#[derive(Clone, Copy, ClaimValue)]` on the enum of scopes, and make the field a \
            `Vec` of it; a container of another crate says what it holds: `#[claim(scope, of = \
            Scope)]`"
)]
pub trait ScopeSet: Sized + Send + Sync + 'static {
    /// The type of a scope.
    type Scope: ClaimValue;
    /// Returns whether it holds this scope.
    fn holds(&self, scope: &str) -> bool;
    /// Returns a clone.
    fn duplicate(&self) -> Self;
    /// Writes the claim, unless it is absent.
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
    /// Writes the claim, even if it is absent.
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error>;
    /// Reads the value of the claim; an unknown scope is an error.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
    /// Returns what was read, or what a token without the claim means.
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
}

#[diagnostic::do_not_recommend]
impl<T: scope::Scopes + Clone + Send + Sync + 'static> ScopeSet for T {
    type Scope = T::Scope;
    fn holds(&self, scope: &str) -> bool {
        let mut held = false;
        self.each(&mut |one| held |= one.wire() == scope);
        held
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        if self.is_absent() {
            return Ok(());
        }
        self.write_always(name, map)
    }
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        let mut text: Vec<&str> = Vec::new();
        self.each(&mut |scope| text.push(scope.wire()));
        map.serialize_entry(name, &text.join(" "))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<scope::Wire<T>>().map(|wire| wire.0)
    }
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
        read.or_else(T::absent).ok_or(name)
    }
}

/// Collections of scopes, and the one string that represents them.
pub mod scope {
    use std::borrow::Cow;
    use std::collections::{BTreeSet, HashSet, VecDeque};
    use std::fmt;
    use std::hash::{BuildHasher, Hash};
    use std::marker::PhantomData;
    use std::sync::Arc;

    use serde::de::{Deserialize, Deserializer, Visitor};

    use super::ClaimValue;

    /// A scope, or a collection of scopes that can be made of a list again.
    pub trait Scopes: Sized {
        /// The type of a scope.
        type Scope: ClaimValue;
        /// Calls `show` with each scope in it.
        fn each(&self, show: &mut dyn FnMut(Self::Scope));
        /// Returns a collection of all scopes; `None` if the type cannot hold this number of
        /// them.
        fn collect(scopes: Vec<Self::Scope>) -> Option<Self>;
        /// Returns what a token without the claim means; `None` if it is refused.
        fn absent() -> Option<Self> {
            None
        }
        /// Returns whether the claim is to be left out.
        fn is_absent(&self) -> bool {
            false
        }
    }

    #[diagnostic::do_not_recommend]
    impl<V: ClaimValue> Scopes for V {
        type Scope = V;
        fn each(&self, show: &mut dyn FnMut(V)) {
            show(*self);
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            match *scopes {
                [only] => Some(only),
                _ => None,
            }
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T: Scopes> Scopes for Option<T> {
        type Scope = T::Scope;
        fn each(&self, show: &mut dyn FnMut(T::Scope)) {
            self.iter().for_each(|some| some.each(show));
        }
        fn collect(scopes: Vec<T::Scope>) -> Option<Self> {
            if scopes.is_empty() {
                return Some(T::collect(scopes));
            }
            T::collect(scopes).map(Some)
        }
        fn absent() -> Option<Self> {
            Some(None)
        }
        fn is_absent(&self) -> bool {
            self.is_none()
        }
    }

    // Not for a `Box`, which a crate of a user may make a scope itself.
    #[diagnostic::do_not_recommend]
    impl<T: Scopes> Scopes for Arc<T> {
        type Scope = T::Scope;
        fn each(&self, show: &mut dyn FnMut(T::Scope)) {
            self.as_ref().each(show);
        }
        fn collect(scopes: Vec<T::Scope>) -> Option<Self> {
            T::collect(scopes).map(Self::new)
        }
        fn absent() -> Option<Self> {
            T::absent().map(Self::new)
        }
        fn is_absent(&self) -> bool {
            self.as_ref().is_absent()
        }
    }

    macro_rules! lists {
        ($($list:ty $(: $bound:path)?),*) => {$(
            #[diagnostic::do_not_recommend]
            impl<V: ClaimValue $(+ $bound)?> Scopes for $list {
                type Scope = V;
                fn each(&self, show: &mut dyn FnMut(V)) {
                    self.iter().copied().for_each(show);
                }
                fn collect(scopes: Vec<V>) -> Option<Self> {
                    Some(scopes.into_iter().collect())
                }
            }
        )*};
    }
    lists!(Vec<V>, VecDeque<V>, BTreeSet<V>: Ord, Box<[V]>, Arc<[V]>, Cow<'static, [V]>);

    #[diagnostic::do_not_recommend]
    impl<V: ClaimValue + Eq + Hash, S: BuildHasher + Default> Scopes for HashSet<V, S> {
        type Scope = V;
        fn each(&self, show: &mut dyn FnMut(V)) {
            self.iter().copied().for_each(show);
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            Some(scopes.into_iter().collect())
        }
    }

    #[diagnostic::do_not_recommend]
    impl<V: ClaimValue, const N: usize> Scopes for [V; N] {
        type Scope = V;
        fn each(&self, show: &mut dyn FnMut(V)) {
            self.iter().copied().for_each(show);
        }
        fn collect(scopes: Vec<V>) -> Option<Self> {
            scopes.try_into().ok()
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
