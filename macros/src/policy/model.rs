//! A condition on the caller, ready to be expanded.

use proc_macro2::{Ident, Span};
use syn::{Attribute, LitStr, Path, Type};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct PolicyModel {
    pub(crate) krate: Krate,
    pub(crate) name: Ident,
    /// The lints that the struct allows.
    pub(crate) lints: Vec<Attribute>,
    /// The one user type it is for; `None` for every one that has what the rule asks for.
    pub(crate) user: Option<Type>,
    pub(crate) rule: Rule,
    pub(crate) consistency: Option<Consistency>,
    pub(crate) asked: Asked,
}

/// The tree that becomes a constant.
pub(crate) enum Rule {
    Anyone,
    Role(Named),
    Scope(Named),
    Claim(Claim),
    /// Seconds.
    MaxAge(u64),
    Acr(String),
    /// The conditions of another policy.
    Policy(Type),
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
}

/// The names in the rule, each once.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) roles: Vec<Named>,
    pub(crate) scopes: Vec<Named>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) policies: Vec<Type>,
    /// `true` where the policy has conditions beside those of other policies.
    pub(crate) has_own: bool,
}

/// A role or scope.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Variant(Variant),
    /// One of an open set.
    Text(LitStr),
}

/// A variant and the enum it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) of: Path,
    pub(crate) name: Ident,
    /// `true` where the variant is written with braces.
    pub(crate) has_braces: bool,
}

/// A claim by the name of its field, and the value it is to have.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) field: Ident,
    pub(crate) value: Value,
}

/// The value that a claim is compared with.
#[derive(Clone)]
pub(crate) enum Value {
    Text(LitStr),
    /// The number, and its place.
    Number(i128, Span),
    Truth(bool),
    Variant(Variant),
}

/// The way in which a verifier learns of revocations before it accepts a token.
#[derive(Clone, Copy)]
pub(crate) enum Consistency {
    Strict,
    Eventual,
    /// Milliseconds.
    Bounded(u64),
}
