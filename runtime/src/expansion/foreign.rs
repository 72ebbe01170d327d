//! Collections of words that another issuer chose: roles and scopes, of which not all need be known
//! here.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::token::ClaimValue;

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
pub(super) fn holds<T: Words>(all: &T, word: &str) -> bool {
    all.list().any(|held| held.text() == word)
}

/// The texts of all words.
pub(super) fn words<T: Words>(all: &T) -> Vec<&str> {
    all.list().map(Word::text).collect()
}

/// Words as they come from the wire: a string, in which spaces part words where `SPACED`, or a list
/// of strings.
pub(super) struct Wire<T, const SPACED: bool>(pub(super) T);

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
