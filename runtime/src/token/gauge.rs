//! Measures a claim as a serializer sees it, and writes nothing.

use serde::Serializer;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

/// The measures of a claim's value.
pub(super) struct Measures {
    /// The depth of its nesting; the token's own object is the first level.
    pub(super) depth: usize,
    /// The number of members of all its objects together.
    pub(super) members: usize,
    /// `true` if each of its numbers is finite.
    pub(super) is_finite: bool,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            depth: 1,
            members: 0,
            is_finite: true,
        }
    }
}

/// Visits a value, and writes nothing.
pub(super) struct Gauge<'a> {
    /// The number of objects and lists around the value.
    depth: usize,
    seen: &'a mut Measures,
}

impl<'a> Gauge<'a> {
    /// Starts at the value of a claim.
    pub(super) fn of(seen: &'a mut Measures) -> Self {
        Self { depth: 1, seen }
    }

    /// Enters an object or a list.
    fn inside(self) -> Self {
        let depth = self.depth + 1;
        self.seen.depth = self.seen.depth.max(depth);
        Self { depth, ..self }
    }

    /// Enters an object that has one member.
    fn inside_variant(self) -> Self {
        let mut inside = self.inside();
        inside.member();
        inside
    }

    fn member(&mut self) {
        self.seen.members += 1;
    }

    fn number(self, is_finite: bool) {
        self.seen.is_finite &= is_finite;
    }

    fn look_at<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        value.serialize(Gauge {
            depth: self.depth,
            seen: &mut *self.seen,
        })
    }
}

macro_rules! scalars {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, _: $type) -> Result<(), Self::Error> {
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Gauge<'a> {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    scalars!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
        serialize_unit_struct: &'static str
    );

    fn serialize_f32(self, value: f32) -> Result<(), Self::Error> {
        self.number(value.is_finite());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Self::Error> {
        self.number(value.is_finite());
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Self::Error> {
        self.inside();
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), Self::Error> {
        self.look_at(value)
    }

    fn serialize_unit(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Self::Error> {
        self.look_at(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Self::Error> {
        self.inside_variant().look_at(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Self::Error> {
        Ok(self.inside())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Self::Error> {
        Ok(self.inside())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Self::Error> {
        Ok(self.inside())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Self::Error> {
        Ok(self.inside_variant().inside())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Self::Error> {
        Ok(self.inside())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Self::Error> {
        Ok(self.inside())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Self::Error> {
        Ok(self.inside_variant().inside())
    }
}

macro_rules! elements {
    ($($of:ident: $name:ident),*) => {$(
        impl $of for Gauge<'_> {
            type Ok = ();
            type Error = serde_json::Error;

            fn $name<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
                self.look_at(value)
            }

            fn end(self) -> Result<(), Self::Error> {
                Ok(())
            }
        }
    )*};
}

elements!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! fields {
    ($($of:ident),*) => {$(
        impl $of for Gauge<'_> {
            type Ok = ();
            type Error = serde_json::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Self::Error> {
                self.member();
                self.look_at(value)
            }

            fn end(self) -> Result<(), Self::Error> {
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Gauge<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Self::Error> {
        self.member();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
        self.look_at(value)
    }

    fn end(self) -> Result<(), Self::Error> {
        Ok(())
    }
}
