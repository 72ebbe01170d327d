//! A struct's claims, ready to be expanded.

use proc_macro2::Ident;
use syn::{Attribute, ExprPath, Generics, Path, Type, Visibility};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct ClaimsModel {
    pub(crate) krate: Krate,
    pub(crate) vis: Visibility,
    /// The struct.
    pub(crate) user: Ident,
    /// The generated type.
    pub(crate) claims: Ident,
    /// The derives of the generated type beside ours.
    pub(crate) derives: Vec<Path>,
    /// The lints that the struct and its fields allow.
    pub(crate) lints: Vec<Attribute>,
    /// The struct's generics as declared.
    pub(crate) generics: Generics,
    pub(crate) subject: Field,
    /// The own claims, in the order of the fields.
    pub(crate) own: Vec<Claim>,
    pub(crate) secrecy: Secrecy,
    pub(crate) origin: Origin,
}

/// A field that the claims carry.
pub(crate) struct Field {
    /// The field's name, as one of ours.
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// `true` where the type names a parameter of the struct, so that it needs a bound.
    pub(crate) generic: bool,
    /// The visibility of the accessor.
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
    /// The type of a role or scope in a list of them, where it is written so.
    pub(crate) element: Option<Type>,
    /// Set where the user says that what lies in it may be read, or is encrypted.
    pub(crate) exposed: bool,
}

/// The way in which a claim is written and read.
pub(crate) enum Codec {
    /// As its type says.
    Plain,
    /// With the functions of this module; the number tells it from others of the struct.
    With(usize, ExprPath),
    /// As a collection of this type, in a container that tollgate does not know.
    Of(Type),
}

/// The value of the claim where the token lacks it.
pub(crate) enum Absence {
    /// By its type: `None` of an `Option`, which is not written either; for another type the
    /// token is refused.
    ByType,
    /// `Default::default()`.
    Default,
    /// The value that this function returns.
    Call(ExprPath),
}

/// The meaning of a claim for policies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimKind {
    /// Nothing.
    Other,
    Roles,
    Scope,
    /// Nothing, but that it binds the token to one action.
    Action,
}

/// The issuer of the tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Own,
    External,
}

/// The readers of the token.
#[derive(Clone, Copy)]
pub(crate) enum Secrecy {
    Open,
    Confidential,
}
