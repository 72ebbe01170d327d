//! Columns of sqlx: closed sets, ids and password hashes are texts in every database.

pub use sqlx::encode::IsNull;
pub use sqlx::error::BoxDynError;
#[cfg(feature = "postgres")]
pub use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
pub use sqlx::{Database, Decode, Encode, Type};

use super::{ClaimValue, UnknownValue};
use crate::id::{IdError, SessionId, TokenId};

/// The form of a value in a column.
pub type Text = String;
/// The buffer that a database writes the arguments of a statement into.
pub type Buffer<D> = <D as Database>::ArgumentBuffer;
/// A value of a row.
pub type ValueRef<'r, D> = <D as Database>::ValueRef<'r>;
/// A type as a database knows it.
pub type TypeInfo<D> = <D as Database>::TypeInfo;

/// A type that a column holds as a text.
pub trait Column: Sized {
    /// Returns the text.
    fn to_text(&self) -> String;
    /// Reads the text. The error does not repeat it.
    fn of_text(text: &str) -> Result<Self, BoxDynError>;
}

impl<V: ClaimValue> Column for V {
    fn to_text(&self) -> String {
        self.wire().to_owned()
    }
    fn of_text(text: &str) -> Result<Self, BoxDynError> {
        V::from_wire(text).ok_or_else(|| UnknownValue.into())
    }
}

impl Column for SessionId {
    fn to_text(&self) -> String {
        self.to_string()
    }
    fn of_text(text: &str) -> Result<Self, BoxDynError> {
        Self::parse(text).ok_or_else(|| IdError.into())
    }
}

impl Column for TokenId {
    fn to_text(&self) -> String {
        self.to_string()
    }
    fn of_text(text: &str) -> Result<Self, BoxDynError> {
        Self::parse(text).ok_or_else(|| IdError.into())
    }
}

#[cfg(feature = "password")]
impl Column for crate::password::Stored {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }
    fn of_text(text: &str) -> Result<Self, BoxDynError> {
        Ok(text.into())
    }
}

/// Returns whether a column of this type holds texts.
#[must_use]
pub fn compatible<D: Database>(ty: &TypeInfo<D>) -> bool
where
    Text: Type<D>,
{
    Text::compatible(ty)
}

/// Writes the text into the buffer.
pub fn encode<'q, D: Database, T: Column>(
    column: &T,
    buffer: &mut Buffer<D>,
) -> Result<IsNull, BoxDynError>
where
    Text: Encode<'q, D>,
{
    column.to_text().encode(buffer)
}

/// Reads a value of a row.
pub fn decode<'r, D: Database, T: Column>(value: ValueRef<'r, D>) -> Result<T, BoxDynError>
where
    Text: Decode<'r, D>,
{
    T::of_text(&Text::decode(value)?)
}

/// Returns the type of a list of texts.
#[cfg(feature = "postgres")]
#[must_use]
pub fn array_type_info() -> PgTypeInfo {
    Text::array_type_info()
}

/// Returns whether a column of this type is a list of texts.
#[cfg(feature = "postgres")]
#[must_use]
pub fn array_compatible(ty: &PgTypeInfo) -> bool {
    Text::array_compatible(ty)
}

crate::__tollgate_column!(SessionId,);
crate::__tollgate_column!(TokenId,);
#[cfg(feature = "password")]
crate::__tollgate_column!(crate::password::Stored,);

/// Writes the impls of sqlx for a type that is a [`Column`], for every database that has texts.
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_column {
    // The rest is the sentence for a program without the feature.
    ($name:ty, $($missing:tt)*) => {
        #[automatically_derived]
        impl<__D: $crate::__private::sql::Database> $crate::__private::sql::Type<__D> for $name
        where
            $crate::__private::sql::Text: $crate::__private::sql::Type<__D>,
        {
            fn type_info() -> $crate::__private::sql::TypeInfo<__D> {
                <$crate::__private::sql::Text as $crate::__private::sql::Type<__D>>::type_info()
            }
            fn compatible(
                __tollgate_ty: &$crate::__private::sql::TypeInfo<__D>,
            ) -> ::core::primitive::bool {
                $crate::__private::sql::compatible::<__D>(__tollgate_ty)
            }
        }
        #[automatically_derived]
        impl<'__q, __D: $crate::__private::sql::Database> $crate::__private::sql::Encode<'__q, __D>
            for $name
        where
            $crate::__private::sql::Text: $crate::__private::sql::Encode<'__q, __D>,
        {
            fn encode_by_ref(
                &self,
                __tollgate_to: &mut $crate::__private::sql::Buffer<__D>,
            ) -> ::core::result::Result<
                $crate::__private::sql::IsNull,
                $crate::__private::sql::BoxDynError,
            > {
                $crate::__private::sql::encode::<__D, Self>(self, __tollgate_to)
            }
        }
        #[automatically_derived]
        impl<'__r, __D: $crate::__private::sql::Database> $crate::__private::sql::Decode<'__r, __D>
            for $name
        where
            $crate::__private::sql::Text: $crate::__private::sql::Decode<'__r, __D>,
        {
            fn decode(
                __tollgate_value: $crate::__private::sql::ValueRef<'__r, __D>,
            ) -> ::core::result::Result<Self, $crate::__private::sql::BoxDynError> {
                $crate::__private::sql::decode::<__D, Self>(__tollgate_value)
            }
        }
        $crate::__tollgate_array!($name);
    };
}

/// Writes what lists of the type need in PostgreSQL.
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_array {
    ($name:ty) => {
        #[automatically_derived]
        impl $crate::__private::sql::PgHasArrayType for $name {
            fn array_type_info() -> $crate::__private::sql::PgTypeInfo {
                $crate::__private::sql::array_type_info()
            }
            fn array_compatible(
                __tollgate_ty: &$crate::__private::sql::PgTypeInfo,
            ) -> ::core::primitive::bool {
                $crate::__private::sql::array_compatible(__tollgate_ty)
            }
        }
    };
}

/// Writes nothing: a list is a column in PostgreSQL alone.
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_array {
    ($name:ty) => {};
}
