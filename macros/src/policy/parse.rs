//! Reads `#[policy(…)]`. Knows how conditions look, not what they mean.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Lit, LitStr, Path, Token, Type, parenthesized};

use crate::attr::{self, Opt, Value};
use crate::diag::Diag;
use crate::path::Krate;

/// What the struct says.
pub(crate) struct PolicyArgs {
    pub(crate) conditions: Vec<Condition>,
    /// Whether anything was said that a policy can consist of, readable or not.
    pub(crate) said: bool,
    pub(crate) user: Option<Type>,
    /// Whether `user` was said at all, readable or not.
    pub(crate) user_said: bool,
    pub(crate) consistency: Option<Consistency>,
    pub(crate) krate: Krate,
}

/// One condition, with its own word.
pub(crate) struct Condition {
    pub(crate) word: Ident,
    pub(crate) kind: ConditionKind,
}

/// What is asked for.
pub(crate) enum ConditionKind {
    Role(Named),
    Scope(Named),
    Claim(Ident, WantedValue),
    MaxAge(LitStr),
    Acr(LitStr),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Vec<Condition>),
}

/// A role or scope.
pub(crate) enum Named {
    /// The variant of an enum.
    Variant(Path),
    /// One of an open set, which tokens of others have.
    Text(LitStr),
}

/// The value that a claim is to have.
pub(crate) enum WantedValue {
    /// A string, an integer or a bool; other literals are a mistake.
    Literal {
        negative: bool,
        lit: Lit,
    },
    Path(Path),
}

/// `strict`, `eventual`, `bounded("…")`, or a word that is none of them.
pub(crate) struct Consistency {
    pub(crate) word: Ident,
    pub(crate) bound: Option<LitStr>,
}

const OPTIONS: [&str; 11] = [
    "role",
    "scope",
    "claim",
    "max_age",
    "acr",
    "any",
    "all",
    "not",
    "user",
    "consistency",
    "crate",
];
const NESTED: [&str; 8] = [
    "role", "scope", "claim", "max_age", "acr", "any", "all", "not",
];
const WHOLE: [&str; 3] = ["user", "consistency", "crate"];
const REPEATABLE: [&str; 7] = ["role", "scope", "claim", "acr", "any", "all", "not"];

/// Reads the attributes of the item.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> PolicyArgs {
    let (of_whole, conditions): (Vec<Opt>, Vec<Opt>) = attr::once(
        attr::of_attributes(&item.attrs, "policy", diag),
        &REPEATABLE,
        diag,
    )
    .into_iter()
    .partition(|opt| WHOLE.contains(&opt.key.to_string().as_str()));
    let mut args = PolicyArgs {
        said: !conditions.is_empty()
            || item
                .attrs
                .iter()
                .any(|attr| attr.path().is_ident("policy") && attr.meta.require_list().is_err()),
        conditions: Vec::new(),
        user: None,
        user_said: false,
        consistency: None,
        krate: Krate::DEFAULT,
    };
    let reader = Reader {
        has_user: of_whole.iter().any(|opt| opt.key == "user"),
    };
    args.conditions = conditions
        .into_iter()
        .filter_map(|opt| reader.read(opt, &OPTIONS, diag))
        .collect();
    for opt in of_whole {
        match opt.key.to_string().as_str() {
            "user" => {
                args.user = opt.parse("a type", "user = User", Type::without_plus, diag);
                args.user_said = true;
            }
            "consistency" => {
                args.consistency = opt.parse(
                    "`strict`, `eventual` or `bounded(\"2s\")`",
                    "consistency = strict",
                    Consistency::parse,
                    diag,
                );
                args.said = true;
            }
            _ => args.krate = Krate::read(&opt, diag),
        }
    }
    args
}

/// Reads conditions.
struct Reader {
    /// Whether the policy says whose it is, so that strings can be told to be of an open set.
    has_user: bool,
}

impl Reader {
    fn read(&self, opt: Opt, known: &[&str], diag: &mut Diag) -> Option<Condition> {
        let kind = match opt.key.to_string().as_str() {
            "role" => ConditionKind::Role(self.named(&opt, "role = Role::Admin", diag)?),
            "scope" => ConditionKind::Scope(self.named(&opt, "scope = Scope::Write", diag)?),
            "claim" => claim(&opt, diag)?,
            "max_age" => ConditionKind::MaxAge(opt.string(diag)?),
            "acr" => ConditionKind::Acr(opt.string(diag)?),
            "all" => ConditionKind::All(self.nested(
                &opt,
                "all(role = Role::Admin, max_age = \"5m\")",
                diag,
            )?),
            "any" => ConditionKind::Any(self.nested(
                &opt,
                "any(role = Role::Admin, role = Role::Editor)",
                diag,
            )?),
            "not" => ConditionKind::Not(self.nested(&opt, "not(role = Role::Guest)", diag)?),
            word if WHOLE.contains(&word) => {
                diag.error(
                    &opt.key,
                    format_args!(
                        "`{word}` is said of the whole policy: move it out of these brackets"
                    ),
                );
                return None;
            }
            _ => {
                diag.unknown(&opt.key, "option", known);
                return None;
            }
        };
        Some(Condition {
            word: opt.key,
            kind,
        })
    }

    fn nested(&self, opt: &Opt, example: &str, diag: &mut Diag) -> Option<Vec<Condition>> {
        let opts = opt.list(example, diag)?;
        let opts = attr::once(opts, &REPEATABLE, diag);
        Some(
            opts.into_iter()
                .filter_map(|opt| self.read(opt, &NESTED, diag))
                .collect(),
        )
    }

    fn named(&self, opt: &Opt, example: &str, diag: &mut Diag) -> Option<Named> {
        if let Value::Is(tokens) = &opt.value
            && let Ok(text) = syn::parse2::<LitStr>(TokenStream::clone(tokens))
        {
            if self.has_user {
                return Some(Named::Text(text));
            }
            diag.error(
                &text,
                format_args!(
                    "a string can be misspelt and still compile, so a {} is the variant of an \
                     enum: `{example}`; of tokens that others issue, say also whose: `user = \
                     Partner`",
                    opt.key
                ),
            );
            return None;
        }
        opt.path(example, diag).map(Named::Variant)
    }
}

fn claim(opt: &Opt, diag: &mut Diag) -> Option<ConditionKind> {
    let mut opts = opt.list("claim(plan = Plan::Pro)", diag)?.into_iter();
    let first = opts.next()?;
    if let Some(second) = opts.next() {
        diag.error(
            &second.key,
            format_args!(
                "`claim` asks for one claim, here for `{}`: write another `claim(…)` for `{}`",
                first.key, second.key
            ),
        );
    }
    let example = format!(
        "{} = \"…\"`, `{0} = 7`, `{0} = true` or `{0} = Plan::Pro",
        first.key
    );
    let wanted = first.parse(
        "a string, a whole number, a bool or a variant",
        &example,
        WantedValue::parse,
        diag,
    )?;
    Some(ConditionKind::Claim(first.key, wanted))
}

impl Parse for WantedValue {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Lit) && !input.peek(Token![-]) {
            return Path::parse_mod_style(input).map(Self::Path);
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        Ok(Self::Literal {
            negative,
            lit: input.parse()?,
        })
    }
}

impl Parse for Consistency {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = Ident::parse_any(input)?;
        let bound = if input.is_empty() {
            None
        } else {
            let inside;
            parenthesized!(inside in input);
            Some(inside.parse()?)
        };
        Ok(Self { word, bound })
    }
}
