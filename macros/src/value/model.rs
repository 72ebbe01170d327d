//! A closed set of strings, ready to be expanded.

use proc_macro2::Ident;
use syn::Visibility;

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct ValueModel {
    pub(crate) krate: Krate,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    /// In the order of the enum.
    pub(crate) values: Vec<Value>,
    pub(crate) serde: Serde,
    pub(crate) text: Text,
    /// The word `sqlx`, where the impls of sqlx are asked for.
    pub(crate) sqlx: Option<Ident>,
}

/// A variant and its string.
pub(crate) struct Value {
    pub(crate) variant: Ident,
    pub(crate) wire: String,
}

/// The origin of the serde impls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serde {
    Derived,
    Own,
}

/// The origin of `as_str`, `Display`, `FromStr` and `TryFrom`, where they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Derived,
    Absent,
}
