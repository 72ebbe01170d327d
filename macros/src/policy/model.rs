//! A condition on the caller, ready to be expanded.

use proc_macro2::Ident;
use syn::{LitStr, Path, Type};

use crate::path::Krate;

/// All that an expansion needs.
pub(crate) struct PolicyModel {
    pub(crate) krate: Krate,
    pub(crate) name: Ident,
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
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
}

/// What the rule names, each once.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) roles: Vec<Named>,
    pub(crate) scopes: Vec<Named>,
    pub(crate) claims: Vec<Claim>,
}

impl Asked {
    /// Every variant that is named.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &Variant> {
        let of_claims = self.claims.iter().filter_map(|claim| match &claim.value {
            Value::Variant(variant) => Some(variant),
            Value::Text(_) | Value::Number(_) | Value::Truth(_) => None,
        });
        let named = self
            .roles
            .iter()
            .chain(&self.scopes)
            .filter_map(|named| match named {
                Named::Variant(variant) => Some(variant),
                Named::Text(_) => None,
            });
        named.chain(of_claims)
    }
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
}

/// A claim by the name of its field, and the value it is to have.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) field: Ident,
    pub(crate) value: Value,
}

/// What a claim is compared with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i128),
    Truth(bool),
    Variant(Variant),
}

/// What a verifier asks before it accepts a token.
#[derive(Clone, Copy)]
pub(crate) enum Consistency {
    Strict,
    Eventual,
    /// Milliseconds.
    Bounded(u64),
}
