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
    /// The claims of which another value is asked for before them, where both must hold.
    pub(crate) again: Vec<Claim>,
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

impl Rule {
    /// Returns each claim that must have a value beside another value.
    pub(crate) fn claims_again(&self) -> Vec<Claim> {
        match self {
            Self::All(rules) => {
                let (mut seen, mut again) = (Vec::new(), Vec::new());
                joined(rules, &mut seen, &mut again);
                again
            }
            Self::Any(rules) => rules.iter().flat_map(Self::claims_again).collect(),
            Self::Not(rule) => rule.claims_again(),
            _ => Vec::new(),
        }
    }
}

/// Collects the claims of rules that must all hold.
fn joined(rules: &[Rule], seen: &mut Vec<Claim>, again: &mut Vec<Claim>) {
    for rule in rules {
        match rule {
            Rule::All(rules) => joined(rules, seen, again),
            Rule::Claim(claim) => {
                if seen.iter().any(|before| before.differs(claim)) {
                    again.push(claim.clone());
                }
                seen.push(claim.clone());
            }
            other => again.extend(other.claims_again()),
        }
    }
}

impl Claim {
    /// Returns whether both are of one field, and ask for different values.
    fn differs(&self, other: &Self) -> bool {
        let differ = match (&self.value, &other.value) {
            (Value::Text(one), Value::Text(other)) => one.value() != other.value(),
            (Value::Number(one, _), Value::Number(other, _)) => one != other,
            (Value::Truth(one), Value::Truth(other)) => one != other,
            (Value::Variant(one), Value::Variant(other)) => one.name != other.name,
            // Values of two kinds: the type of the claim refuses one of them.
            _ => false,
        };
        differ && self.field == other.field
    }
}

/// The way in which a verifier learns of revocations before it accepts a token.
#[derive(Clone, Copy)]
pub(crate) enum Consistency {
    Strict,
    Eventual,
    /// Milliseconds.
    Bounded(u64),
}
