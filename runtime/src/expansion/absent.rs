//! The value of a missing claim, by its type: an `Option`, under any name, is `None`, as in serde;
//! every other type reports the claim missing.

use std::fmt::{self, Display};

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{self, Impossible, Serialize, Serializer};

/// Returns the `None` of an optional type.
pub(super) fn none<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(Absent).ok()
}

/// Returns whether a value is the `None` of an optional type.
pub(super) fn is_none<T: Serialize>(value: &T) -> bool {
    value.serialize(Probe).is_ok()
}

/// Gives `None` to a type that deserializes an option, and an error to every other type.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = Missing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Missing> {
        Err(Missing)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Missing> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Takes `None`, and refuses everything else at its first call.
struct Probe;

macro_rules! refused {
    ($($name:ident($ty:ty)),*) => {$(
        fn $name(self, _: $ty) -> Result<(), Missing> {
            Err(Missing)
        }
    )*};
}

impl Serializer for Probe {
    type Ok = ();
    type Error = Missing;
    type SerializeSeq = Impossible<(), Missing>;
    type SerializeTuple = Impossible<(), Missing>;
    type SerializeTupleStruct = Impossible<(), Missing>;
    type SerializeTupleVariant = Impossible<(), Missing>;
    type SerializeMap = Impossible<(), Missing>;
    type SerializeStruct = Impossible<(), Missing>;
    type SerializeStructVariant = Impossible<(), Missing>;

    refused!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str)
    );

    fn serialize_none(self) -> Result<(), Missing> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Missing> {
        Err(Missing)
    }

    fn serialize_unit(self) -> Result<(), Missing> {
        Err(Missing)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Missing> {
        Err(Missing)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Missing> {
        Err(Missing)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Missing> {
        Err(Missing)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Missing> {
        Err(Missing)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Missing> {
        Err(Missing)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Missing> {
        Err(Missing)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Missing> {
        Err(Missing)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Missing> {
        Err(Missing)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Missing> {
        Err(Missing)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Missing> {
        Err(Missing)
    }
}

/// The claim is not there, or is something else than `None`.
#[derive(Debug)]
struct Missing;

impl Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claim is missing")
    }
}

impl std::error::Error for Missing {}

impl de::Error for Missing {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl ser::Error for Missing {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}
