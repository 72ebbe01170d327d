//! Compares an own claim with a constant, in the form in which both are written in a token.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::{self, Display};
use std::sync::Arc;

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeTuple, SerializeTupleStruct,
    Serializer,
};

use crate::token::{ClaimSet, ClaimValue};

use super::rule::Value;

/// A type whose values may be compared with one of the kind `K`: [`Text`], [`Number`], [`Truth`],
/// or an enum of strings.
///
/// A policy may use `claim(name = value)` only if the claim's type implements it, so that no
/// comparison is always false. Implement it for your own type that is written as such a value:
/// `impl Comparable<Text> for PhoneNumber {}`.
#[diagnostic::on_unimplemented(
    message = "a claim of type `{Self}` cannot be compared with this value",
    label = "`{Self}` is no `{K}`",
    note = "compare a string with `\"…\"`, a whole number with `7`, a `bool` with `true`, and an \
            enum that derives `ClaimValue` with its variant"
)]
pub trait Comparable<K> {}

/// Strings: `claim(name = "…")`.
#[derive(Clone, Copy, Debug)]
pub enum Text {}

/// Whole numbers: `claim(name = 7)`.
#[derive(Clone, Copy, Debug)]
pub enum Number {}

/// `claim(name = true)`.
#[derive(Clone, Copy, Debug)]
pub enum Truth {}

macro_rules! comparable {
    ($($kind:ty: $($ty:ty),*;)*) => {$($(
        #[diagnostic::do_not_recommend]
        impl Comparable<$kind> for $ty {}
    )*)*};
}

comparable! {
    Text: String, Box<str>, Arc<str>, Cow<'_, str>, char;
    Number: u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize;
    Truth: bool;
}

#[diagnostic::do_not_recommend]
impl<V: ClaimValue> Comparable<V> for V {}

macro_rules! comparable_inside {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<K, T: Comparable<K>> Comparable<K> for $ty {}
    )*};
}

comparable_inside!(
    Option<T>,
    Vec<T>,
    VecDeque<T>,
    Box<[T]>,
    Arc<[T]>,
    BTreeSet<T>
);

#[diagnostic::do_not_recommend]
impl<K, T: Comparable<K>, const N: usize> Comparable<K> for [T; N] {}

#[diagnostic::do_not_recommend]
impl<K, T: Comparable<K> + Clone> Comparable<K> for Cow<'_, [T]> {}

#[diagnostic::do_not_recommend]
impl<K, T: Comparable<K>, S> Comparable<K> for HashSet<T, S> {}

/// Returns whether the own claim of this name on the wire is the value, or is a list that holds it;
/// `None` if it is written as something of another kind, as a claim with an own `with` may be: then
/// nothing can be said about it. An absent claim is no value.
#[must_use]
pub fn claim_holds<C: ClaimSet>(claims: &C, name: &str, value: &Value) -> Option<bool> {
    let mut finder = Finder {
        name,
        value,
        holds: Some(false),
    };
    claims.write(&mut &mut finder).ok()?;
    finder.holds
}

/// A serializer that compares each claim, and keeps none of them.
struct Finder<'a> {
    name: &'a str,
    value: &'a Value,
    holds: Option<bool>,
}

impl SerializeMap for &mut Finder<'_> {
    type Ok = ();
    type Error = Unlike;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Unlike> {
        Err(Unlike)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Unlike> {
        Err(Unlike)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), Unlike> {
        if key.serialize(Like::Name(self.name)).unwrap_or(false) {
            self.holds = value.serialize(Like::Value(self.value)).ok();
        }
        Ok(())
    }

    fn end(self) -> Result<(), Unlike> {
        Ok(())
    }
}

/// A serializer that returns whether the written value is this one.
#[derive(Clone, Copy)]
enum Like<'a> {
    Name(&'a str),
    Value(&'a Value),
}

impl Like<'_> {
    fn text(self, written: &str) -> Result<bool, Unlike> {
        match self {
            Self::Name(name) => Ok(name == written),
            Self::Value(Value::Text(text)) => Ok(*text == written),
            Self::Value(Value::Number(_) | Value::Truth(_)) => Err(Unlike),
        }
    }

    fn number<N: TryInto<i128>>(self, written: N) -> Result<bool, Unlike> {
        match self {
            Self::Value(Value::Number(number)) => {
                Ok(written.try_into().is_ok_and(|written| written == *number))
            }
            Self::Name(_) | Self::Value(_) => Err(Unlike),
        }
    }
}

macro_rules! numbers {
    ($($name:ident: $ty:ty),*) => {$(
        fn $name(self, written: $ty) -> Result<bool, Unlike> {
            self.number(written)
        }
    )*};
}

impl<'a> Serializer for Like<'a> {
    type Ok = bool;
    type Error = Unlike;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Impossible<bool, Unlike>;
    type SerializeMap = Impossible<bool, Unlike>;
    type SerializeStruct = Impossible<bool, Unlike>;
    type SerializeStructVariant = Impossible<bool, Unlike>;

    numbers!(
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128
    );

    fn serialize_bool(self, written: bool) -> Result<bool, Unlike> {
        match self {
            Self::Value(Value::Truth(truth)) => Ok(*truth == written),
            Self::Name(_) | Self::Value(_) => Err(Unlike),
        }
    }

    fn serialize_str(self, written: &str) -> Result<bool, Unlike> {
        self.text(written)
    }

    fn serialize_char(self, written: char) -> Result<bool, Unlike> {
        self.text(written.encode_utf8(&mut [0; 4]))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, written: &T) -> Result<bool, Unlike> {
        written.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        written: &T,
    ) -> Result<bool, Unlike> {
        written.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        written: &'static str,
    ) -> Result<bool, Unlike> {
        self.text(written)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Unlike> {
        Ok(Items {
            like: self,
            holds: Ok(false),
        })
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Unlike> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Unlike> {
        self.serialize_seq(None)
    }

    fn serialize_f32(self, _: f32) -> Result<bool, Unlike> {
        Err(Unlike)
    }

    fn serialize_f64(self, _: f64) -> Result<bool, Unlike> {
        Err(Unlike)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<bool, Unlike> {
        Err(Unlike)
    }

    fn serialize_none(self) -> Result<bool, Unlike> {
        Ok(false)
    }

    fn serialize_unit(self) -> Result<bool, Unlike> {
        Ok(false)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<bool, Unlike> {
        Err(Unlike)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<bool, Unlike> {
        Err(Unlike)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unlike> {
        Err(Unlike)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unlike> {
        Err(Unlike)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unlike> {
        Err(Unlike)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unlike> {
        Err(Unlike)
    }
}

/// A serializer of lists that returns whether an item is the value. An item of another kind counts
/// where no other is the value.
struct Items<'a> {
    like: Like<'a>,
    holds: Result<bool, Unlike>,
}

macro_rules! items {
    ($($of:ident::$each:ident),*) => {$(
        impl $of for Items<'_> {
            type Ok = bool;
            type Error = Unlike;

            fn $each<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unlike> {
                match item.serialize(self.like) {
                    Ok(false) => {}
                    Ok(true) => self.holds = Ok(true),
                    Err(unlike) if matches!(self.holds, Ok(false)) => self.holds = Err(unlike),
                    Err(_) => {}
                }
                Ok(())
            }

            fn end(self) -> Result<bool, Unlike> {
                self.holds
            }
        }
    )*};
}

items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

/// The written value is of a kind that is not compared.
#[derive(Debug)]
struct Unlike;

impl Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value to compare with")
    }
}

impl std::error::Error for Unlike {}

impl serde::ser::Error for Unlike {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}
