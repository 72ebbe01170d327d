//! The gates of a state, ready to be expanded.

use proc_macro2::Ident;
use syn::{Attribute, Generics, Member, Type};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct StateModel {
    pub(crate) krate: Krate,
    pub(crate) name: Ident,
    /// The lints that the struct allows.
    pub(crate) lints: Vec<Attribute>,
    pub(crate) generics: Generics,
    /// In the order of the struct.
    pub(crate) fields: Vec<Held>,
}

/// A field that verifies tokens.
pub(crate) struct Held {
    pub(crate) member: Member,
    /// The type that handlers ask for: that of the field, without an `Arc` around it.
    pub(crate) ty: Type,
    pub(crate) kind: HeldKind,
}

/// The content of a field.
pub(crate) enum HeldKind {
    /// The gate of a backend, whose user type is the backend's.
    GateOf(Box<Type>),
    /// A gate, and its user type.
    GateFor(Box<Type>),
    Verifier,
}
