//! A struct's claims, ready to be expanded.

use proc_macro2::Ident;
use syn::{Attribute, Generics, Path, Type, Visibility};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct ClaimsModel {
    pub(crate) krate: Krate,
    pub(crate) vis: Visibility,
    /// The struct.
    pub(crate) user: Ident,
    /// The generated type.
    pub(crate) claims: Ident,
    /// The struct's generics as declared.
    pub(crate) declared: Generics,
    /// The struct's generics with the bounds that the claims need.
    pub(crate) generics: Generics,
    pub(crate) subject: Field,
    /// The own claims, in the order of the fields.
    pub(crate) own: Vec<Claim>,
    pub(crate) secrecy: Secrecy,
    pub(crate) origin: Origin,
}

/// A field that the claims carry.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Who may read it.
    pub(crate) vis: Visibility,
    /// The field's own doc comment, or one made up.
    pub(crate) docs: Vec<Attribute>,
}

/// An own claim.
pub(crate) struct Claim {
    pub(crate) field: Field,
    pub(crate) wire: String,
    pub(crate) codec: Codec,
    pub(crate) absence: Absence,
    pub(crate) kind: ClaimKind,
}

/// How a claim is written and read.
pub(crate) enum Codec {
    /// With the type's serde impls.
    Plain,
    /// With the functions of this module; the number tells it from others of the struct.
    With(usize, Path),
    /// As one space-delimited string.
    Scope,
}

/// What it means that the token lacks the claim.
pub(crate) enum Absence {
    /// It is none of ours.
    Refused,
    /// `None`, which is not written either.
    Nothing,
    /// `Default::default()`.
    Default,
    /// What this function returns.
    Call(Path),
}

/// What policies see in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimKind {
    /// Nothing.
    Other,
    Roles,
    Scope,
    /// Nothing, but that it binds the token to one action.
    Action,
}

/// Who issues the tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Own,
    External,
}

/// Who may read the token.
#[derive(Clone, Copy)]
pub(crate) enum Secrecy {
    Open,
    Confidential,
}
