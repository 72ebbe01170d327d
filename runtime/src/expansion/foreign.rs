//! Collections of words that another issuer chose: roles and scopes, some of which may be unknown
//! here.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;

use crate::token::ClaimValue;

/// The type of a field marked `#[claim(roles)]` in claims that others issue. It leaves out unknown
/// roles: a role of another program is no error, and grants nothing here.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no roles",
    label = "expected a list or set of `String`, or of an enum that derives `ClaimValue`",
    note = "write `Vec<String>` where the issuer's roles are not a closed set"
)]
pub trait ForeignRoles: Sized + Send + Sync + 'static {
    /// The type of a role.
    type Role;
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
    /// Reads the value of the claim: one string, or a list of them.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
    /// Returns what was read, or what a token without the claim means.
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
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
        if self.is_absent() {
            return Ok(());
        }
        ForeignRoles::write_always(self, name, map)
    }
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry(name, &words(self))
    }
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
        read.or_else(T::absent).ok_or(name)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<Wire<T, false>>().map(|wire| wire.0)
    }
}

/// The type of a field marked `#[claim(scope)]` in claims that others issue: one space-delimited
/// string (RFC 9068 section 2.2.3), or a list of strings, as some issuers have it. It leaves out
/// unknown scopes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no scopes",
    label = "expected a list or set of `String`, or of an enum that derives `ClaimValue`",
    note = "write `Vec<String>` where the issuer's scopes are not a closed set"
)]
pub trait ForeignScopes: Sized + Send + Sync + 'static {
    /// The type of a scope.
    type Scope;
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
    /// Reads the value of the claim.
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
    /// Returns what was read, or what a token without the claim means.
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str>;
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
        if self.is_absent() {
            return Ok(());
        }
        ForeignScopes::write_always(self, name, map)
    }
    fn write_always<M: SerializeMap>(
        &self,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry(name, &words(self).join(" "))
    }
    fn finish(read: Option<Self>, name: &'static str) -> Result<Self, &'static str> {
        read.or_else(T::absent).ok_or(name)
    }
    fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value::<Wire<T, true>>().map(|wire| wire.0)
    }
}

/// A role or a scope.
pub trait Word: Sized {
    /// Returns the word of this text; `None` if the text is unknown.
    fn read(text: &str) -> Option<Self>;
    /// Returns its text.
    fn text(&self) -> &str;
}

#[diagnostic::do_not_recommend]
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
    /// Calls `show` with each word in it.
    fn each<'a>(&'a self, show: &mut dyn FnMut(&'a Self::Word));
    /// Returns a collection of these words.
    fn collect(words: Vec<Self::Word>) -> Self;
    /// Returns what a token without the claim means; `None` if it is refused.
    fn absent() -> Option<Self> {
        None
    }
    /// Returns whether the claim is to be left out.
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! lists {
    ($($list:ty $(: $bound:path)?),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<W: Word $(+ $bound)?> Words for $list {
            type Word = W;
            fn each<'a>(&'a self, show: &mut dyn FnMut(&'a W)) {
                self.iter().for_each(show);
            }
            fn collect(words: Vec<W>) -> Self {
                words.into_iter().collect()
            }
        }
    )*};
}
lists!(Vec<W>, VecDeque<W>, BTreeSet<W>: Ord, Box<[W]>, Arc<[W]>);

#[diagnostic::do_not_recommend]
impl<W: Word + Clone> Words for Cow<'static, [W]> {
    type Word = W;
    fn each<'a>(&'a self, show: &mut dyn FnMut(&'a W)) {
        self.iter().for_each(show);
    }
    fn collect(words: Vec<W>) -> Self {
        Cow::Owned(words)
    }
}

#[diagnostic::do_not_recommend]
impl<W: Word + Eq + Hash, S: BuildHasher + Default> Words for HashSet<W, S> {
    type Word = W;
    fn each<'a>(&'a self, show: &mut dyn FnMut(&'a W)) {
        self.iter().for_each(show);
    }
    fn collect(words: Vec<W>) -> Self {
        words.into_iter().collect()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Words> Words for Arc<T> {
    type Word = T::Word;
    fn each<'a>(&'a self, show: &mut dyn FnMut(&'a T::Word)) {
        self.as_ref().each(show);
    }
    fn collect(words: Vec<T::Word>) -> Self {
        Self::new(T::collect(words))
    }
    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
    fn is_absent(&self) -> bool {
        self.as_ref().is_absent()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Words> Words for Option<T> {
    type Word = T::Word;
    fn each<'a>(&'a self, show: &mut dyn FnMut(&'a T::Word)) {
        self.iter().for_each(|some| some.each(show));
    }
    fn collect(words: Vec<T::Word>) -> Self {
        Some(T::collect(words))
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Returns whether it holds this word.
fn holds<T: Words>(all: &T, word: &str) -> bool {
    let mut is_held = false;
    all.each(&mut |held| is_held |= held.text() == word);
    is_held
}

/// Returns the texts of all words.
fn words<T: Words>(all: &T) -> Vec<&str> {
    let mut texts = Vec::new();
    all.each(&mut |word| texts.push(word.text()));
    texts
}

/// Reads roles: a list of strings, or one string. Unknown ones are left out where `FOREIGN`, and
/// otherwise refused.
pub(super) fn read_roles<'de, V: Word, const FOREIGN: bool, A: MapAccess<'de>>(
    map: &mut A,
) -> Result<Vec<V>, A::Error> {
    read_words::<V, FOREIGN, A>(map.next_value::<Wire<Vec<String>, false>>()?.0)
}

/// Reads scopes: one space-delimited string, or a list. Unknown ones are left out where `FOREIGN`,
/// and otherwise refused.
pub(super) fn read_scopes<'de, V: Word, const FOREIGN: bool, A: MapAccess<'de>>(
    map: &mut A,
) -> Result<Vec<V>, A::Error> {
    read_words::<V, FOREIGN, A>(map.next_value::<Wire<Vec<String>, true>>()?.0)
}

fn read_words<'de, V: Word, const FOREIGN: bool, A: MapAccess<'de>>(
    texts: Vec<String>,
) -> Result<Vec<V>, A::Error> {
    let mut words = Vec::new();
    for text in texts {
        match V::read(&text) {
            Some(word) => words.push(word),
            None if FOREIGN => {}
            None => {
                let unknown = Unexpected::Other("unknown value");
                return Err(A::Error::invalid_value(
                    unknown,
                    &"values of a closed set of strings",
                ));
            }
        }
    }
    Ok(words)
}

/// Words as they come from the wire: a string, in which spaces separate words where `SPACED`, or a
/// list of strings.
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

    /// Null grants nothing.
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::absent().unwrap_or_else(|| T::collect(Vec::new())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut words = Vec::new();
        while let Some(text) = list.next_element::<Cow<'de, str>>()? {
            words.extend(T::Word::read(&text));
        }
        Ok(T::collect(words))
    }
}
