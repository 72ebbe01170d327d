//! Copies, writes and reads claims for an expansion. One function of the expansion names the trait
//! that the type of a claim must have, so that rustc reports a type without it there; all other
//! functions call those of this module, which compile for every type.

use std::marker::PhantomData;

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::containers::{RolesOf, ScopesOf};
use super::foreign::{ForeignRoles, ForeignScopes};
use super::sets::{RoleSet, ScopeSet};
use super::values::{Carried, Claim};

/// A type of a claim, and the kind of trait through which it is used. It has the functions of the
/// trait if the type implements the trait; otherwise, with [`Reported`] in scope, it has functions
/// that never run.
#[derive(Debug)]
pub struct Via<T, K>(PhantomData<fn() -> (T, K)>);

macro_rules! kinds {
    ($($kind:ident, $via:ident: $trait:ident;)*) => {$(
        /// Stands for the trait.
        #[derive(Debug)]
        pub struct $kind;
        /// The functions of the trait for a type.
        pub type $via<T> = Via<T, $kind>;
        impls!([] $trait, $kind);
    )*};
}

macro_rules! kinds_of {
    ($($kind:ident, $via:ident: $trait:ident;)*) => {$(
        /// Stands for the trait.
        #[derive(Debug)]
        pub struct $kind<V, const FOREIGN: bool>(PhantomData<fn() -> V>);
        /// The functions of the trait for a type.
        pub type $via<T, V, const FOREIGN: bool> = Via<T, $kind<V, FOREIGN>>;
        impls!([V, const FOREIGN: bool] $trait<V, FOREIGN>, $kind<V, FOREIGN>);
        holds!([V, const FOREIGN: bool] $trait<V, FOREIGN>, $kind<V, FOREIGN>);
    )*};
}

macro_rules! impls {
    ([$($param:tt)*] $trait:path, $kind:ty) => {
        impl<T: $trait, $($param)*> Via<T, $kind> {
            /// Returns a clone.
            #[inline]
            pub fn duplicate(value: &T) -> T {
                <T as $trait>::duplicate(value)
            }
            /// Writes the claim, unless it is absent.
            #[inline]
            pub fn write<M: SerializeMap>(
                value: &T,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error> {
                <T as $trait>::write(value, name, map)
            }
            /// Writes the claim, even if it is absent.
            #[inline]
            pub fn write_always<M: SerializeMap>(
                value: &T,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error> {
                <T as $trait>::write_always(value, name, map)
            }
            /// Reads the value of the claim.
            #[inline]
            pub fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
                <T as $trait>::read(map)
            }
            /// Returns what was read, or what a token without the claim means.
            #[inline]
            pub fn finish(read: Option<T>, name: &'static str) -> Result<T, &'static str> {
                <T as $trait>::finish(read, name)
            }
        }
    };
}

macro_rules! holds {
    ([$($param:tt)*] $trait:path, $kind:ty) => {
        impl<T: $trait, $($param)*> Via<T, $kind> {
            /// Returns whether it holds this word.
            #[inline]
            pub fn holds(value: &T, text: &str) -> bool {
                <T as $trait>::holds(value, text)
            }
        }
    };
}

kinds! {
    AsClaim, ClaimVia: Claim;
    AsRoleSet, RoleSetVia: RoleSet;
    AsScopeSet, ScopeSetVia: ScopeSet;
    AsForeignRoles, ForeignRolesVia: ForeignRoles;
    AsForeignScopes, ForeignScopesVia: ForeignScopes;
}
holds!([] RoleSet, AsRoleSet);
holds!([] ScopeSet, AsScopeSet);
holds!([] ForeignRoles, AsForeignRoles);
holds!([] ForeignScopes, AsForeignScopes);
kinds_of! {
    AsRolesOf, RolesOfVia: RolesOf;
    AsScopesOf, ScopesOfVia: ScopesOf;
}

/// Stands for [`Carried`].
#[derive(Debug)]
pub struct AsCarried;
/// The function of [`Carried`] for a type.
pub type CarriedVia<T> = Via<T, AsCarried>;

impl<T: Carried> Via<T, AsCarried> {
    /// Returns a clone.
    #[inline]
    pub fn duplicate(value: &T) -> T {
        value.duplicate()
    }
}

/// The functions of a type that rustc reports. They never run, since a program with an error does
/// not.
pub trait Reported {
    /// The type.
    type Type;

    /// Returns a clone.
    fn duplicate(_: &Self::Type) -> Self::Type {
        never()
    }
    /// Writes the claim.
    ///
    /// # Errors
    /// The error of the serializer.
    fn write<M: SerializeMap>(_: &Self::Type, _: &'static str, _: &mut M) -> Result<(), M::Error> {
        never()
    }
    /// Writes the claim.
    ///
    /// # Errors
    /// The error of the serializer.
    fn write_always<M: SerializeMap>(
        _: &Self::Type,
        _: &'static str,
        _: &mut M,
    ) -> Result<(), M::Error> {
        never()
    }
    /// Reads the value of the claim.
    ///
    /// # Errors
    /// The error of the deserializer.
    fn read<'de, A: MapAccess<'de>>(_: &mut A) -> Result<Self::Type, A::Error> {
        never()
    }
    /// Returns what was read.
    ///
    /// # Errors
    /// The name of a claim that is missing.
    fn finish(_: Option<Self::Type>, _: &'static str) -> Result<Self::Type, &'static str> {
        never()
    }
    /// Returns whether it holds this word.
    fn holds(_: &Self::Type, _: &str) -> bool {
        never()
    }
}

impl<T, K> Reported for Via<T, K> {
    type Type = T;
}

fn never() -> ! {
    unreachable!("a program does not compile if the type of a claim cannot be a claim")
}
