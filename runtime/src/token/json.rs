//! Strict JSON: one object, no member twice, bounded in depth and members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::names::{Name, Names};

/// The greatest depth of nested values; the object itself is the first level (R7).
pub(super) const MAX_DEPTH: usize = 16;
/// The largest number of members in all objects together (R7).
pub(super) const MAX_MEMBERS: usize = 256;

/// Returns whether a text needs no strict check: it has at most one object, so that no value is
/// one, and too few lists to be deep.
///
/// It counts brackets without knowing which are inside strings, so it may return `false` if a
/// slower check would return `true`.
pub(super) fn is_plain(text: &str) -> bool {
    let (mut objects, mut lists) = (0usize, 0usize);
    for piece in text.as_bytes().chunks(128) {
        let (mut in_piece, mut lists_in_piece) = (0u8, 0u8);
        for &byte in piece {
            in_piece += u8::from(byte == b'{');
            lists_in_piece += u8::from(byte == b'[');
        }
        objects += usize::from(in_piece);
        lists += usize::from(lists_in_piece);
    }
    objects <= 1 && lists < MAX_DEPTH
}

/// Returns whether the text is one JSON object in which no object has a member twice, within the
/// bounds of depth and members.
pub(super) fn is_strict(text: &str) -> bool {
    let mut budget = Budget::new(MAX_MEMBERS);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = (Strict {
        depth: 0,
        budget: &mut budget,
        only_object: true,
    })
    .deserialize(&mut reader);
    read.is_ok() && reader.end().is_ok()
}

/// The number of members that all objects of a text may still have.
pub(super) struct Budget {
    left: usize,
    is_exceeded: bool,
}

impl Budget {
    pub(super) const fn new(members: usize) -> Self {
        Self {
            left: members,
            is_exceeded: false,
        }
    }

    /// Counts a member.
    pub(super) fn take<E: Error>(&mut self) -> Result<(), E> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            self.is_exceeded = true;
            E::custom("too many members")
        })?;
        Ok(())
    }

    /// Returns whether there were more members than are allowed.
    pub(super) const fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }
}

/// The form of a value that was read strictly, and its content where it is a string.
pub(super) enum Shape<'de> {
    Null,
    Text(Cow<'de, str>),
    Other,
}

/// Returns whether the member is there at all; `null` counts as there.
pub(super) fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Returns whether `typ` is this media type, alone or after `application/`, in any case (RFC 7515
/// section 4.1.9).
pub(super) fn is_media_type(typ: &str, expected: &str) -> bool {
    let (prefix, rest) = typ
        .split_at_checked("application/".len())
        .unwrap_or(("", typ));
    let bare = if prefix.eq_ignore_ascii_case("application/") {
        rest
    } else {
        typ
    };
    bare.eq_ignore_ascii_case(expected)
}

/// Reads a value and keeps nothing of it.
pub(super) struct Strict<'a> {
    /// The number of objects and lists around the value.
    depth: usize,
    budget: &'a mut Budget,
    only_object: bool,
}

impl<'a> Strict<'a> {
    /// Returns the reader of a member's value in the outermost object.
    pub(super) fn member(budget: &'a mut Budget) -> Self {
        Self {
            depth: 1,
            budget,
            only_object: false,
        }
    }

    fn inside<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Strict {
            depth: self.depth + 1,
            budget: self.budget,
            only_object: false,
        })
    }

    fn scalar<E: Error>(&self) -> Result<(), E> {
        if self.only_object {
            Err(E::custom("not an object"))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Shape<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Shape<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Shape<'de>, A::Error> {
        let mut inside = self.inside()?;
        let mut names = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            inside.budget.take()?;
            if !names.insert(name) {
                return Err(A::Error::custom("a member comes twice"));
            }
            map.next_value_seed(inside.again())?;
        }
        Ok(Shape::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Shape<'de>, A::Error> {
        self.scalar()?;
        let mut inside = self.inside()?;
        while list.next_element_seed(inside.again())?.is_some() {}
        Ok(Shape::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Other)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shape<'de>, E> {
        self.scalar()
            .map(|()| Shape::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Shape<'de>, E> {
        self.scalar().map(|()| Shape::Null)
    }
}

impl Strict<'_> {
    /// Returns the reader of the next value at the same place.
    fn again(&mut self) -> Strict<'_> {
        Strict {
            depth: self.depth,
            budget: self.budget,
            only_object: self.only_object,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R5.
    #[test]
    fn r5_only_one_object_is_json_for_a_token() {
        for text in [
            "[]",
            "\"a\"",
            "null",
            "1",
            "true",
            "",
            " ",
            "{} {}",
            "{}x",
            "\u{feff}{}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
        ] {
            assert!(!is_strict(text), "{text:?}");
        }
        for text in ["{}", " {\"a\":[1,null,true,\"b\",{\"c\":-1.5}]} \n"] {
            assert!(is_strict(text), "{text:?}");
        }
    }

    /// R6.
    #[test]
    fn r6_duplicates_are_found_at_every_level_and_behind_escapes() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[[{"a":1,"a":3}]]}"#,
        ] {
            assert!(!is_strict(text), "{text}");
        }
        assert!(is_strict(r#"{"a":{"a":1},"A":{"a":1}}"#));
    }

    /// R7.
    #[test]
    fn r7_deep_and_wide_values_are_refused() {
        let deep = |levels: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        assert!(is_strict(&deep(16)) && is_plain(&deep(16)));
        assert!(!is_strict(&deep(17)) && !is_plain(&deep(17)));
        assert!(!is_strict(&deep(4000)));
        assert!(is_plain("{}") && !is_plain(r#"{"a":{}}"#) && !is_plain(r#"{"a":"{"}"#));
        let wide = |members: usize| {
            let members: Vec<String> = (0..members).map(|i| format!("\"{i}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(is_strict(&wide(256)));
        assert!(!is_strict(&wide(257)));
        let spread: String = wide(128);
        assert!(
            is_strict(&format!("{{\"a\":{spread}}}"))
                && !is_strict(&format!("{{\"a\":{spread},\"b\":{spread}}}"))
        );
    }
}
