//! A condition on the caller, ready to be expanded.

use proc_macro2::Ident;
use syn::Path;

use crate::krate::Krate;

/// All that an expansion needs.
pub(crate) struct Model {
    pub(crate) krate: Krate,
    pub(crate) name: Ident,
    pub(crate) rule: Rule,
    /// Every role in the rule.
    pub(crate) roles: Vec<Variant>,
    /// Every scope in the rule.
    pub(crate) scopes: Vec<Variant>,
}

/// The tree that becomes a constant.
pub(crate) enum Rule {
    Role(Variant),
    Scope(Variant),
    /// Seconds.
    MaxAge(u64),
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
}

/// A variant and the enum it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) of: Path,
    pub(crate) name: Ident,
}
