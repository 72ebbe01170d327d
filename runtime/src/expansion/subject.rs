//! The subject of a user type, as `#[claim(sub)]` marks it.

use std::marker::PhantomData;
use std::str::FromStr;

use crate::token::Subject;

/// The type of a field marked `#[claim(sub)]`. Its message says in one sentence what rustc says of
/// each bound of [`Subject`].
///
/// `READER` distinguishes the two ways to read a text, `FROM_STR` and `FROM_STRING`, so that
/// `Arc<str>` and similar types can be subjects as well as all types with `FromStr`: one impl for
/// both would overlap.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a subject",
    label = "a subject is cloned, written with `Display` and read back with `FromStr`",
    note = "use a `Uuid`, an integer, a `String` or an `Arc<str>`, or implement `Clone`, `Display` \
            and `FromStr` or `From<String>` for `{Self}`, which also goes between threads"
)]
pub trait SubjectValue<const READER: u8>: Sized {
    /// The type itself. It has another name, so that an expansion can speak of a type that cannot
    /// be a subject.
    type Subject: Subject;
    /// Returns the subject.
    fn as_subject(&self) -> &Self::Subject;
    /// Returns the field.
    fn from_subject(subject: Self::Subject) -> Self;
    /// Returns a clone.
    fn duplicate(&self) -> Self;
    /// Reads a subject; `None` if the text has another form.
    fn read(text: &str) -> Option<Self::Subject>;
}

/// The reader of types with `FromStr`.
pub const FROM_STR: u8 = 0;
/// The reader of types that are made of a `String`, and have no `FromStr`.
pub(super) const FROM_STRING: u8 = 1;

macro_rules! subjects {
    ($reader:ident, $bound:path, $text:ident => $read:expr) => {
        #[diagnostic::do_not_recommend]
        impl<T: Subject + $bound> SubjectValue<$reader> for T {
            type Subject = T;
            fn as_subject(&self) -> &T {
                self
            }
            fn from_subject(subject: T) -> Self {
                subject
            }
            fn duplicate(&self) -> Self {
                self.clone()
            }
            fn read($text: &str) -> Option<T> {
                $read
            }
        }
    };
}

subjects!(FROM_STR, FromStr, text => text.parse().ok());
subjects!(FROM_STRING, From<String>, text => Some(T::from(text.to_owned())));

/// Says how a type is read: `SubjectReader::<T>::READER` is [`FROM_STR`] where `T` implements
/// `FromStr`, and otherwise that of [`NoFromStr`].
#[derive(Debug)]
pub struct SubjectReader<T>(PhantomData<T>);

impl<T: FromStr> SubjectReader<T> {
    /// The reader.
    pub const READER: u8 = FROM_STR;
}

/// The reader of types without `FromStr`.
pub trait NoFromStr {
    /// The reader.
    const READER: u8 = FROM_STRING;
    /// Types of which nothing is known tell users apart.
    const VALUES: Values = Values::Apart;
}

impl<T> NoFromStr for SubjectReader<T> {}

/// How well the values of a type tell users apart: `SubjectReader::<T>::VALUES` says it by the type,
/// whatever it is called where it is used.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Well enough.
    Apart,
    /// There are two of them.
    Two,
    /// They are floats.
    Inexact,
}

macro_rules! values {
    ($($ty:ty: $values:ident),*) => {$(
        impl SubjectReader<$ty> {
            /// The reason why the type cannot be a subject, if there is one.
            pub const VALUES: Values = Values::$values;
        }
    )*};
}
values!(bool: Two, f32: Inexact, f64: Inexact);

/// Checks that a subject tells users apart.
///
/// # Panics
/// Its values do not: then the user type does not compile.
#[track_caller]
pub const fn tells_users_apart(values: Values) {
    assert!(
        !matches!(values, Values::Two),
        "the subject is a `bool`, which has only two values and cannot tell users apart: use a \
         `Uuid`, an integer or a `String`"
    );
    assert!(
        !matches!(values, Values::Inexact),
        "the subject is a float, and floats cannot be compared reliably: use a `Uuid`, an integer \
         or a `String`"
    );
}
