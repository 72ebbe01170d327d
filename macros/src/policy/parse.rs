//! Reads `#[policy(…)]`. Knows how conditions look, not what they mean.

use proc_macro2::{Ident, TokenStream};
use syn::{DeriveInput, LitStr, Path};

use crate::diag::Diag;
use crate::krate::Krate;
use crate::option::{self, Opt, Value};

/// What the struct says.
pub(crate) struct Args {
    pub(crate) conditions: Vec<Condition>,
    /// Whether a condition was said at all, readable or not.
    pub(crate) said: bool,
    pub(crate) krate: Krate,
}

/// One condition, with its own word.
pub(crate) struct Condition {
    pub(crate) word: Ident,
    pub(crate) kind: Kind,
}

/// What is asked for.
pub(crate) enum Kind {
    Role(Path),
    Scope(Path),
    MaxAge(LitStr),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Vec<Condition>),
}

const OPTIONS: [&str; 7] = ["role", "scope", "max_age", "any", "all", "not", "crate"];
const NESTED: [&str; 6] = ["role", "scope", "max_age", "any", "all", "not"];
const REPEATABLE: [&str; 5] = ["role", "scope", "any", "all", "not"];

/// Reads the attributes of the item.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> Args {
    let (krates, conditions): (Vec<Opt>, Vec<Opt>) =
        option::once(option::of_attributes(&item.attrs, "policy", diag), &REPEATABLE, diag)
            .into_iter()
            .partition(|opt| opt.key == "crate");
    Args {
        said: !conditions.is_empty()
            || item.attrs.iter().any(|attr| attr.path().is_ident("policy") && attr.meta.require_list().is_err()),
        krate: krates.first().map_or(Krate::DEFAULT, |opt| Krate::read(opt, diag)),
        conditions: read(conditions, &OPTIONS, diag),
    }
}

fn read(opts: Vec<Opt>, known: &[&str], diag: &mut Diag) -> Vec<Condition> {
    opts.into_iter().filter_map(|opt| read_one(opt, known, diag)).collect()
}

fn read_one(opt: Opt, known: &[&str], diag: &mut Diag) -> Option<Condition> {
    let kind = match opt.key.to_string().as_str() {
        "role" => Kind::Role(value(&opt, "role = Role::Admin", diag)?),
        "scope" => Kind::Scope(value(&opt, "scope = Scope::Write", diag)?),
        "max_age" => Kind::MaxAge(opt.string(diag)?),
        "all" => Kind::All(nested(&opt, "all(role = Role::Admin, max_age = \"5m\")", diag)?),
        "any" => Kind::Any(nested(&opt, "any(role = Role::Admin, role = Role::Editor)", diag)?),
        "not" => Kind::Not(nested(&opt, "not(role = Role::Guest)", diag)?),
        _ => {
            diag.unknown(&opt.key, "option", known);
            return None;
        }
    };
    Some(Condition { word: opt.key, kind })
}

fn nested(opt: &Opt, example: &str, diag: &mut Diag) -> Option<Vec<Condition>> {
    let opts = opt.list(example, diag)?;
    let opts = option::once(opts, &REPEATABLE, diag);
    Some(read(opts, &NESTED, diag))
}

fn value(opt: &Opt, example: &str, diag: &mut Diag) -> Option<Path> {
    if let Value::Is(tokens) = &opt.value
        && let Ok(text) = syn::parse2::<LitStr>(TokenStream::clone(tokens))
    {
        diag.error(
            &text,
            format_args!("a string can be misspelt and still compile, so a {} is the variant of an enum: `{example}`", opt.key),
        );
        return None;
    }
    opt.path(example, diag)
}
