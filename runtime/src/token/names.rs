//! The names of an object's members, each of which may come once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// The names of an object so far. A few are compared one by one; more are kept in a set with a
/// random seed, so that the time stays linear in their number.
#[derive(Default)]
pub(super) struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    /// Notes a name; returns `false` if it came before.
    pub(super) fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if self.few.len() < FEW {
            let is_new = !self.few.iter().any(|known| is_same(known, &name));
            self.few.push(name);
            return is_new;
        }
        if self.many.is_empty() {
            self.many.extend(self.few.iter().cloned());
        }
        self.many.insert(name)
    }
}

/// Reads the name of a member, which borrows from the text unless it has escapes.
pub(super) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

fn is_same(one: &str, other: &str) -> bool {
    #[cfg(test)]
    tests::COMPARED.set(tests::COMPARED.get() + 1);
    one == other
}

/// The number of names that are compared one by one.
const FEW: usize = 64;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn a_name_comes_once_however_many_there_are() {
        for count in [1, 2, 63, 64, 65, 66, 500] {
            let mut names = Names::default();
            for n in 0..count {
                assert!(names.insert(n.to_string().into()), "{n} of {count}");
            }
            for n in [0, count / 2, count - 1] {
                assert!(!names.insert(n.to_string().into()), "{n} of {count}");
            }
        }
    }

    /// R7: the time is linear, as the count of comparisons shows.
    #[test]
    fn r7_many_names_are_not_compared_pairwise() {
        let compared = |count: usize| {
            COMPARED.set(0);
            let mut names = Names::default();
            for n in 0..count {
                assert!(names.insert(n.to_string().into()));
            }
            COMPARED.get()
        };
        assert_eq!(compared(FEW), FEW * (FEW - 1) / 2);
        assert_eq!(compared(4096), compared(FEW));
    }
}
