//! Looks inside the claims of a user type for fields whose names look like a secret.
//!
//! The derive sees the fields of the user's own struct. Only serde knows those of a struct inside a
//! claim, so each claim is read from a source that makes up every value and notes the fields that
//! are asked for.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::claims::ClaimSet;
use super::secret_names::{Exempt, word};

/// A field inside a claim that looks like a secret. It is shown as a message with the possible
/// solutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NestedSecret {
    /// The struct that has the field, by the name that serde gives it.
    holder: &'static str,
    field: &'static str,
    /// The word in its name that hints at a secret.
    word: &'static str,
}

impl Display for NestedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            holder,
            field,
            word,
        } = self;
        write!(
            f,
            "`{field}` of `{holder}` looks like a secret because of `{word}`, and `{holder}` is \
             inside of a claim: take it out, or say that everybody who holds the token may read \
             it with `#[claim(expose)]` on the claim"
        )
    }
}

/// Returns the first field inside a claim that looks like a secret.
pub(crate) fn nested_secret<C: ClaimSet>() -> Option<NestedSecret> {
    for place in (0..MOST_CLAIMS).filter(|place| !C::EXPOSED.contains(place)) {
        let mut source = Source::default();
        loop {
            let mut draft = C::Draft::default();
            let mut map = OneClaim(&mut source);
            // Made-up values are often refused; only the fields that were asked for matter.
            let _ = C::read(&mut draft, place, &mut map);
            if source.is_unknown {
                return None;
            }
            if source.found.is_some() {
                return source.found;
            }
            if !source.turn() {
                break;
            }
        }
    }
    None
}

/// The made-up values for one claim. Where a type allows several choices, such as the variants of
/// an enum or the fields of a struct, each reading of the claim takes one of them.
#[derive(Default)]
struct Source {
    /// The choices so far: for each, the index of the one taken, and their number.
    forks: Vec<(usize, usize)>,
    /// The number of choices that the present reading has made.
    passed: usize,
    /// The number of times that the claim was read.
    turns: usize,
    /// `true` if no claim is at this place: the type has fewer.
    is_unknown: bool,
    found: Option<NestedSecret>,
}

impl Source {
    /// Returns the index of the choice to take, of so many.
    fn take(&mut self, ways: usize) -> usize {
        let at = self.passed;
        self.passed += 1;
        match self.forks.get(at) {
            Some((way, _)) => *way,
            None => {
                self.forks.push((0, ways));
                0
            }
        }
    }

    /// Moves to the next combination; returns `false` if all were taken, or as many as are
    /// tried.
    fn turn(&mut self) -> bool {
        self.passed = 0;
        self.turns += 1;
        while let Some((way, ways)) = self.forks.pop() {
            if way + 1 < ways {
                self.forks.push((way + 1, ways));
                return self.turns < MOST_TURNS;
            }
        }
        false
    }
}

/// The map from which a claim is read: it gives one value.
struct OneClaim<'s>(&'s mut Source);

impl<'de> MapAccess<'de> for OneClaim<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, Refused> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(Reader {
            source: self.0,
            field: None,
            depth: 0,
        })
    }
}

/// Makes up a value of each type.
struct Reader<'s> {
    source: &'s mut Source,
    /// The struct whose field is read, and the field.
    field: Option<(&'static str, &'static str)>,
    depth: usize,
}

impl<'s> Reader<'s> {
    /// Notes the field if its name looks like a secret and its type can hold one.
    fn look(&mut self, exempt: Exempt) -> Result<(), Refused> {
        if let Some((holder, field)) = self.field
            && let Some(word) = word(field, exempt)
        {
            self.source.found.get_or_insert(NestedSecret {
                holder,
                field,
                word,
            });
            return Err(Refused);
        }
        Ok(())
    }

    /// Returns the reader for one level below.
    fn below<'b>(&'b mut self, field: Option<(&'static str, &'static str)>) -> Reader<'b> {
        Reader {
            source: &mut *self.source,
            field,
            depth: self.depth + 1,
        }
    }

    fn fields<'de, V: Visitor<'de>>(
        mut self,
        holder: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.look(Exempt::Nothing)?;
        if self.depth > DEEPEST {
            return Err(Refused);
        }
        // The other fields are missing, which some types refuse at the end: by then this one was
        // read.
        let way = self.source.take(fields.len().max(1));
        let field = fields.get(way).map(|field| (holder, *field));
        visitor.visit_map(Fields {
            reader: self,
            field,
            is_value_next: false,
        })
    }

    fn elements<'de, V: Visitor<'de>>(
        mut self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.look(Exempt::Nothing)?;
        if self.depth > DEEPEST {
            return Err(Refused);
        }
        visitor.visit_seq(Elements {
            reader: self,
            left: count,
        })
    }
}

/// The one field of a struct that is present.
struct Fields<'s> {
    reader: Reader<'s>,
    field: Option<(&'static str, &'static str)>,
    is_value_next: bool,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        match self.field {
            Some((_, name)) if !self.is_value_next => {
                self.is_value_next = true;
                let name: StrDeserializer<'_, Refused> = name.into_deserializer();
                seed.deserialize(name).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(self.reader.below(self.field))
    }
}

/// The elements of a list, or the entries of a map.
struct Elements<'s> {
    reader: Reader<'s>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.reader.below(None)).map(Some)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(self.reader.below(None))
    }
}

/// A variant of an enum.
struct Variant<'s> {
    reader: Reader<'s>,
    holder: &'static str,
    name: &'static str,
}

impl<'de, 's> EnumAccess<'de> for Variant<'s> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let name: StrDeserializer<'_, Refused> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, Refused> {
        seed.deserialize(self.reader.below(None))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.reader.elements(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.reader.fields(self.holder, fields, visitor)
    }
}

/// Makes up a value of a plain type, unless its name looks like a secret.
macro_rules! plain {
    ($($method:ident: $exempt:ident, $visit:ident($($value:expr)?);)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
            self.look(Exempt::$exempt)?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Refused;

    plain! {
        deserialize_bool: Flag, visit_bool(false);
        deserialize_i8: Number, visit_i8(1);
        deserialize_i16: Number, visit_i16(1);
        deserialize_i32: Number, visit_i32(1);
        deserialize_i64: Number, visit_i64(1);
        deserialize_i128: Number, visit_i128(1);
        deserialize_u8: Number, visit_u8(1);
        deserialize_u16: Number, visit_u16(1);
        deserialize_u32: Number, visit_u32(1);
        deserialize_u64: Number, visit_u64(1);
        deserialize_u128: Number, visit_u128(1);
        deserialize_f32: Number, visit_f32(1.0);
        deserialize_f64: Number, visit_f64(1.0);
        deserialize_char: Nothing, visit_char('a');
        deserialize_str: Nothing, visit_str("a");
        deserialize_string: Nothing, visit_str("a");
        deserialize_identifier: Nothing, visit_str("a");
        deserialize_bytes: Nothing, visit_bytes(b"a");
        deserialize_byte_buf: Nothing, visit_bytes(b"a");
        deserialize_unit: Flag, visit_unit();
        deserialize_any: Nothing, visit_str("a");
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        if self.depth > DEEPEST {
            return visitor.visit_none();
        }
        let field = self.field;
        visitor.visit_some(self.below(field))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let field = self.field;
        visitor.visit_newtype_struct(self.below(field))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.elements(1, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.elements(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.elements(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        self.look(Exempt::Nothing)?;
        if self.depth > DEEPEST {
            return Err(Refused);
        }
        visitor.visit_map(Elements {
            reader: self,
            left: 1,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.fields(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        holder: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.look(Exempt::Nothing)?;
        if self.depth > DEEPEST {
            return Err(Refused);
        }
        let way = self.source.take(variants.len().max(1));
        let name = variants.get(way).copied().ok_or(Refused)?;
        // The variant is the field's value; the names inside it are its own.
        self.field = None;
        visitor.visit_enum(Variant {
            reader: self,
            holder,
            name,
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.source.is_unknown |= self.depth == 0;
        visitor.visit_unit()
    }
}

/// The error of a type that refused a made-up value, or that ends a reading which needs nothing
/// more.
#[derive(Debug)]
struct Refused;

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("made-up values are not taken")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// The largest number of claims of a type into which a gate looks.
const MOST_CLAIMS: usize = 256;
/// The largest number of combinations that are tried for one claim.
const MOST_TURNS: usize = 1024;
/// The depth below which no value is made up: it is greater than a token may be nested.
const DEEPEST: usize = 16;
