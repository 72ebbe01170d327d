//! A caller with a name of its own, ready to be expanded.

use proc_macro2::Ident;
use syn::{Attribute, Generics, Member, Type};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct CallerModel {
    pub(crate) krate: Krate,
    pub(crate) name: Ident,
    /// The lints that the struct allows.
    pub(crate) lints: Vec<Attribute>,
    pub(crate) generics: Generics,
    /// The type of the first field.
    pub(crate) inner: Type,
    /// The field, where the derive makes the struct of it; `None` where the user does.
    pub(crate) extracted: Option<Member>,
}
