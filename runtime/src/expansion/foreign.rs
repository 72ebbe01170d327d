//! Collections of words that another issuer chose: roles and scopes, of which not all need be known
//! here.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;

use crate::token::ClaimValue;

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
impl<T: Words + Clone + Send + Sync + 'static> ForeignRoles for T {
    type Role = T::Word;
    fn holds(&self, role: &str) -> bool {
        holds(self, role)
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, &words(self))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<Wire<T, false>>().map(|wire| wire.0)
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
impl<T: Words + Clone + Send + Sync + 'static> ForeignScopes for T {
    type Scope = T::Word;
    fn holds(&self, scope: &str) -> bool {
        holds(self, scope)
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, &words(self).join(" "))
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<Wire<T, true>>().map(|wire| wire.0)
    }
}

/// A word.
pub trait Word: Sized {
    /// The word of this text; `None` where it is none that is known.
    fn read(text: &str) -> Option<Self>;
    /// Its text.
    fn text(&self) -> &str;
}

impl<V: ClaimValue> Word for V {
    fn read(text: &str) -> Option<Self> {
        V::from_wire(text)
    }
    fn text(&self) -> &str {
        self.wire()
    }
}

impl Word for String {
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
    fn text(&self) -> &str {
        self
    }
}

/// A collection of words.
pub trait Words: Sized {
    /// The type of a word.
    type Word: Word;
    /// All words in it.
    fn list(&self) -> impl Iterator<Item = &Self::Word>;
    /// Made of these words.
    fn collect(words: Vec<Self::Word>) -> Self;
}

impl<W: Word> Words for Vec<W> {
    type Word = W;
    fn list(&self) -> impl Iterator<Item = &W> {
        self.iter()
    }
    fn collect(words: Vec<W>) -> Self {
        words
    }
}

impl<W: Word + Ord> Words for BTreeSet<W> {
    type Word = W;
    fn list(&self) -> impl Iterator<Item = &W> {
        self.iter()
    }
    fn collect(words: Vec<W>) -> Self {
        words.into_iter().collect()
    }
}

/// Whether it holds this one.
fn holds<T: Words>(all: &T, word: &str) -> bool {
    all.list().any(|held| held.text() == word)
}

/// The texts of all words.
fn words<T: Words>(all: &T) -> Vec<&str> {
    all.list().map(Word::text).collect()
}

/// Words as they come from the wire: a string, in which spaces part words where `SPACED`, or a list
/// of strings.
struct Wire<T, const SPACED: bool>(T);

impl<'de, T: Words, const SPACED: bool> Deserialize<'de> for Wire<T, SPACED> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(Texts::<T, SPACED>(PhantomData))
            .map(Self)
    }
}

struct Texts<T, const SPACED: bool>(PhantomData<T>);

impl<'de, T: Words, const SPACED: bool> Visitor<'de> for Texts<T, SPACED> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let parts: Vec<&str> = if SPACED {
            text.split(' ').collect()
        } else {
            vec![text]
        };
        Ok(T::collect(
            parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .filter_map(T::Word::read)
                .collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut words = Vec::new();
        while let Some(text) = list.next_element::<std::borrow::Cow<'de, str>>()? {
            words.extend(T::Word::read(&text));
        }
        Ok(T::collect(words))
    }
}
