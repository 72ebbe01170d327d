//! A deserializer of plain JSON: scalars and lists as the issuer writes them, without escapes,
//! fractions, objects or white space.
//!
//! What it reads, serde_json reads with the same result. At anything else it gives up, and reports
//! that by a flag as well as by an error, because a type may ignore the error of a value.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::Scanner;

/// The value of one member.
pub(super) struct PlainMember<'r, 'de> {
    reader: &'r mut PlainReader<'de>,
    is_read: bool,
}

impl<'r, 'de> PlainMember<'r, 'de> {
    pub(super) fn new(reader: &'r mut PlainReader<'de>) -> Self {
        Self {
            reader,
            is_read: false,
        }
    }

    /// Returns whether the value was read as serde_json would have read it.
    pub(super) fn is_read(&self) -> bool {
        self.is_read && !self.reader.gave_up
    }
}

impl<'de> MapAccess<'de> for PlainMember<'_, 'de> {
    type Error = GaveUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _: K) -> Result<Option<K::Value>, GaveUp> {
        Err(self.reader.give_up())
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, GaveUp> {
        if self.is_read {
            return Err(self.reader.give_up());
        }
        self.is_read = true;
        seed.deserialize(&mut *self.reader)
    }
}

/// Reads values from the start of a text.
pub(super) struct PlainReader<'de> {
    pub(super) scanner: Scanner<'de>,
    /// The number of lists around the next value.
    depth: u8,
    gave_up: bool,
}

impl<'de> PlainReader<'de> {
    pub(super) fn new(scanner: Scanner<'de>) -> Self {
        Self {
            scanner,
            depth: 0,
            gave_up: false,
        }
    }

    /// Notes that this reader cannot read the text.
    fn give_up(&mut self) -> GaveUp {
        self.gave_up = true;
        GaveUp
    }

    fn next_is(&self, byte: u8) -> bool {
        self.scanner.rest.as_bytes().first() == Some(&byte)
    }

    fn literal(&mut self, expected: &str) -> Result<(), GaveUp> {
        match self.scanner.literal(expected) {
            Some(()) => Ok(()),
            None => Err(self.give_up()),
        }
    }

    fn string(&mut self) -> Result<&'de str, GaveUp> {
        self.literal("\"")?;
        let len = self
            .scanner
            .rest
            .bytes()
            .position(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'));
        let text = len.and_then(|len| self.scanner.quoted(len));
        text.ok_or_else(|| self.give_up())
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        let is_negative = self.scanner.literal("-").is_some();
        let Some(number) = self.scanner.integer() else {
            return Err(self.give_up());
        };
        // A number that goes on, such as a fraction, is not an integer.
        if !matches!(
            self.scanner.rest.as_bytes().first(),
            Some(b',' | b'}' | b']')
        ) {
            return Err(self.give_up());
        }
        match (is_negative, i64::try_from(number)) {
            (false, _) => visitor.visit_u64(number),
            (true, Ok(positive @ 1..)) => visitor.visit_i64(-positive),
            (true, _) => Err(self.give_up()),
        }
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        self.literal("[")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.give_up());
        }
        let value = visitor
            .visit_seq(PlainList {
                reader: self,
                is_first: true,
            })
            // The error stands in the middle of the list, so nothing may be read after it.
            .map_err(|_| self.give_up())?;
        self.depth -= 1;
        // If the type took fewer elements than there are, another character follows.
        self.literal("]")?;
        Ok(value)
    }

    fn boolean<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        let value = self.next_is(b't');
        self.literal(if value { "true" } else { "false" })?;
        visitor.visit_bool(value)
    }

    fn null<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        self.literal("null")?;
        visitor.visit_unit()
    }
}

macro_rules! as_number {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
            self.number(visitor)
        }
    )*};
}

macro_rules! as_string {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
            visitor.visit_borrowed_str(self.string()?)
        }
    )*};
}

macro_rules! left_to_serde_json {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GaveUp> {
            Err(self.give_up())
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut PlainReader<'de> {
    type Error = GaveUp;

    as_number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    as_string! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    left_to_serde_json! {
        deserialize_i128 deserialize_u128 deserialize_bytes deserialize_byte_buf deserialize_map
        deserialize_ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        match self.scanner.rest.as_bytes().first() {
            Some(b'"') => visitor.visit_borrowed_str(self.string()?),
            Some(b'[') => self.list(visitor),
            Some(b't' | b'f') => self.boolean(visitor),
            Some(b'n') => self.null(visitor),
            Some(b'-' | b'0'..=b'9') => self.number(visitor),
            _ => Err(self.give_up()),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.boolean(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        if self.scanner.literal("null").is_some() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.null(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        self.null(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        // Names with a special meaning in serde_json, such as that of a raw value.
        if name.starts_with('$') {
            return Err(self.give_up());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, GaveUp> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, GaveUp> {
        Err(self.give_up())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        if !self.next_is(b'"') {
            return Err(self.give_up());
        }
        visitor.visit_enum(PlainVariant(self))
    }
}

/// The elements of a list, as far as the type asks for them.
struct PlainList<'r, 'de> {
    reader: &'r mut PlainReader<'de>,
    is_first: bool,
}

impl<'de> SeqAccess<'de> for PlainList<'_, 'de> {
    type Error = GaveUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, GaveUp> {
        if self.reader.next_is(b']') {
            return Ok(None);
        }
        if !self.is_first {
            self.reader.literal(",")?;
            // An element must follow a comma.
            if self.reader.next_is(b']') {
                return Err(self.reader.give_up());
            }
        }
        self.is_first = false;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// A variant without fields, by its name.
struct PlainVariant<'r, 'de>(&'r mut PlainReader<'de>);

impl<'r, 'de> EnumAccess<'de> for PlainVariant<'r, 'de> {
    type Error = GaveUp;
    type Variant = PlainUnit<'r, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), GaveUp> {
        let value = seed.deserialize(&mut *self.0)?;
        Ok((value, PlainUnit(self.0)))
    }
}

struct PlainUnit<'r, 'de>(&'r mut PlainReader<'de>);

impl<'de> VariantAccess<'de> for PlainUnit<'_, 'de> {
    type Error = GaveUp;

    fn unit_variant(self) -> Result<(), GaveUp> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, GaveUp> {
        Err(self.0.give_up())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, GaveUp> {
        Err(self.0.give_up())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, GaveUp> {
        Err(self.0.give_up())
    }
}

/// The error that leaves the text to serde_json, which also words the message about it.
#[derive(Debug)]
pub(super) struct GaveUp;

impl Error for GaveUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::error::Error for GaveUp {}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to the general decoder")
    }
}

/// The greatest depth of lists that is read.
const MAX_DEPTH: u8 = 8;
