//! Sets of roles and scopes in containers of other crates: `#[claim(roles, of = Role)]`.

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::foreign::{Word, read_roles, read_scopes};

/// A container whose values can be read one by one, and which can be made of a list.
pub trait Container<V>: Sized {
    /// Returns the texts of all values.
    fn texts(&self) -> Vec<String>;
    /// Returns a container of all values.
    fn collect(values: Vec<V>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<V: Word, C: FromIterator<V>> Container<V> for C
where
    for<'a> &'a C: IntoIterator<Item = &'a V>,
{
    fn texts(&self) -> Vec<String> {
        self.into_iter()
            .map(|value| value.text().to_owned())
            .collect()
    }
    fn collect(values: Vec<V>) -> Self {
        values.into_iter().collect()
    }
}

macro_rules! of {
    ($(#[$doc:meta])* $name:ident, $what:literal, $text:ident => $write:expr, $read:ident) => {
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "`{Self}` is no container of `{V}`",
            label = $what,
            note = "`of = …` names what the container holds: an enum that derives `ClaimValue`"
        )]
        pub trait $name<V, const FOREIGN: bool>: Sized + Send + Sync + 'static {
            /// Returns whether it holds this value.
            fn holds(&self, value: &str) -> bool;
            /// Returns a clone.
            fn duplicate(&self) -> Self;
            /// Writes the claim.
            fn write<M: SerializeMap>(
                &self,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error>;
            /// Writes the claim.
            fn write_always<M: SerializeMap>(
                &self,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error>;
            /// Reads the value of the claim.
            fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
            /// Returns what was read, or refuses a token without the claim.
            fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
        }

        #[diagnostic::do_not_recommend]
        impl<V: Word, C: Container<V> + Clone + Send + Sync + 'static, const FOREIGN: bool> $name<V, FOREIGN>
            for C
        {
            fn holds(&self, value: &str) -> bool {
                self.texts().iter().any(|held| held == value)
            }
            fn duplicate(&self) -> Self {
                self.clone()
            }
            fn write<M: SerializeMap>(
                &self,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error> {
                let $text = self.texts();
                map.serialize_entry(name, &$write)
            }
            fn write_always<M: SerializeMap>(
                &self,
                name: &'static str,
                map: &mut M,
            ) -> Result<(), M::Error> {
                <Self as $name<V, FOREIGN>>::write(self, name, map)
            }
            fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
                $read::<V, FOREIGN, A>(map).map(C::collect)
            }
            fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
                read.ok_or(name)
            }
        }
    };
}

of! {
    /// The type of a field marked `#[claim(roles, of = …)]`: a list of strings on the wire.
    RolesOf, "it cannot be looked through, or not be made of a list of `{V}`",
    texts => texts, read_roles
}

of! {
    /// The type of a field marked `#[claim(scope, of = …)]`: one space-delimited string on the
    /// wire.
    ScopesOf, "it cannot be looked through, or not be made of a list of `{V}`",
    texts => texts.join(" "), read_scopes
}
