//! The rules of policies: from what was said to a model, or to mistakes.

mod time;

use quote::ToTokens as _;
use syn::{Data, DeriveInput, Lit, LitStr, Path, Type};

use super::model::{Asked, Claim, Named, PolicyModel, Rule, Value, Variant};
use super::parse::{self, Condition, ConditionKind, PolicyArgs, VariantPath, WantedValue};
use crate::diag::Diag;
use crate::lints;
use crate::path;
use crate::pipeline::Outline;
use crate::shown as tokens;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &PolicyArgs, diag: &mut Diag) -> Option<PolicyModel> {
    let name = &item.ident;
    let unit = matches!(&item.data, Data::Struct(data) if data.fields.is_empty());
    if !unit {
        diag.error(
            name,
            format_args!(
                "a policy gives a condition a name and has no fields: write `struct {name};`"
            ),
        );
    } else if let Some(param) = item.generics.params.first() {
        diag.error(
            param,
            format_args!("a policy has no parameters: write `struct {name};`"),
        );
    }
    if !args.said {
        diag.error(
            name,
            format_args!(
                "`{name}` has no condition: add one, as in `#[policy(role = Role::Admin)]`, or \
                 use `Anyone`"
            ),
        );
    }
    let mut asked = Asked::default();
    let mut rules = list(&args.conditions, Joined::All, &mut asked, diag);
    if let Some(claim) = asked.claims.first().filter(|_| !args.user_said) {
        let field = &claim.field;
        diag.error(
            field,
            format_args!(
                "the user type that has the claim `{field}` is missing: add the type that \
                 derives `JwtClaims`, as in `user = User`"
            ),
        );
    }
    let consistency = args
        .consistency
        .as_ref()
        .and_then(|said| time::consistency(said, diag));
    let rule = match rules.len() {
        0 => Rule::Anyone,
        1 => rules.pop()?,
        _ => Rule::All(rules),
    };
    asked.again = rule.claims_again();
    Some(PolicyModel {
        krate: args.krate.clone(),
        name: path::own(name),
        lints: lints::allowed(&item.attrs),
        user: args.user.clone(),
        rule,
        consistency,
        asked,
    })
}

/// Returns what a stand-in is made of.
pub(crate) fn outline(item: &DeriveInput, args: &PolicyArgs) -> Option<Outline<()>> {
    Some(Outline {
        krate: args.krate.clone(),
        ident: path::own(&item.ident),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: (),
    })
}

/// The way in which the conditions of a list count: all must hold, or one is enough.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    All,
    Any,
}

fn list(conditions: &[Condition], joined: Joined, asked: &mut Asked, diag: &mut Diag) -> Vec<Rule> {
    check_list(conditions, joined, diag);
    conditions
        .iter()
        .filter_map(|condition| one(condition, asked, diag))
        .collect()
}

/// Conditions that stand beside each other to no purpose.
fn check_list(conditions: &[Condition], joined: Joined, diag: &mut Diag) {
    let mut seen: Vec<(bool, String)> = Vec::new();
    let mut ages: Vec<time::Age<'_>> = Vec::new();
    for condition in conditions {
        if let Some(age) = time::Age::of(condition) {
            let problem = ages.iter().find_map(|other| age.beside(*other, joined));
            if let Some(problem) = problem {
                diag.error(&condition.word, problem);
            }
            ages.push(age);
        }
        let Some((holds, what)) = leaf(condition) else {
            continue;
        };
        let is_acr = matches!(condition.kind, ConditionKind::Acr(_));
        let contradiction = (!holds, what.clone());
        if seen.contains(&(holds, what.clone())) {
            diag.error(
                &condition.word,
                format_args!("`{what}` is given twice: keep one"),
            );
        } else if seen.contains(&contradiction) {
            let outcome = if joined == Joined::All {
                "nobody satisfies both"
            } else {
                "everybody satisfies one of them"
            };
            diag.error(
                &condition.word,
                format_args!(
                    "`{what}` is asked for and excluded, so {outcome}: remove one of them"
                ),
            );
        } else if is_acr
            && joined == Joined::All
            && seen
                .iter()
                .any(|(holds, other)| *holds && other.starts_with("acr "))
        {
            diag.error(
                &condition.word,
                "a sign-in has one `acr`, so two never hold together: write `any(acr = …, acr = \
                 …)`",
            );
        }
        seen.push((holds, what));
    }
}

/// A condition that holds no others, in words; `false` beside it where it is to be absent.
fn leaf(condition: &Condition) -> Option<(bool, String)> {
    let what = match &condition.kind {
        ConditionKind::Role(named) => format!("role = {}", named.shown()),
        ConditionKind::Scope(named) => format!("scope = {}", named.shown()),
        ConditionKind::Claim(field, wanted) => format!("claim({field} = {})", wanted.shown()),
        ConditionKind::Acr(text) => format!("acr = \"{}\"", text.value()),
        ConditionKind::Policy(ty) => format!("policy = {}", written(ty)),
        ConditionKind::Not(conditions) => {
            let [only] = conditions.as_slice() else {
                return None;
            };
            return leaf(only).map(|(holds, what)| (!holds, what));
        }
        ConditionKind::MaxAge(_) | ConditionKind::All(_) | ConditionKind::Any(_) => return None,
    };
    Some((true, what))
}

fn one(condition: &Condition, asked: &mut Asked, diag: &mut Diag) -> Option<Rule> {
    asked.has_own |= matches!(
        condition.kind,
        ConditionKind::Role(_)
            | ConditionKind::Scope(_)
            | ConditionKind::Claim(..)
            | ConditionKind::MaxAge(_)
            | ConditionKind::Acr(_)
    );
    Some(match &condition.kind {
        ConditionKind::Role(role) => {
            Rule::Role(remembered(named(role, "Role", diag)?, &mut asked.roles))
        }
        ConditionKind::Scope(scope) => {
            Rule::Scope(remembered(named(scope, "Scope", diag)?, &mut asked.scopes))
        }
        ConditionKind::Claim(field, wanted) => {
            let claim = Claim {
                field: field.clone(),
                value: value(wanted, diag)?,
            };
            asked.claims.push(claim.clone());
            Rule::Claim(claim)
        }
        ConditionKind::MaxAge(text) => {
            Rule::MaxAge(time::duration(text, &time::SECONDS, diag)? / 1000)
        }
        ConditionKind::Acr(text) => Rule::Acr(acr(text, diag)?),
        ConditionKind::Policy(ty) => Rule::Policy(remembered(ty.clone(), &mut asked.policies)),
        ConditionKind::All(conditions) => Rule::All(list(conditions, Joined::All, asked, diag)),
        ConditionKind::Any(conditions) => Rule::Any(list(conditions, Joined::Any, asked, diag)),
        ConditionKind::Not(conditions) => {
            if conditions.len() > 1 {
                diag.error(
                    &condition.word,
                    "`not` of several conditions can be read in two ways: write `not(any(…))` or \
                     `not(all(…))`",
                );
            }
            Rule::Not(Box::new(list(conditions, Joined::Any, asked, diag).pop()?))
        }
    })
}

/// Adds a condition to those seen, unless it is among them, and returns it.
fn remembered<T: Clone + PartialEq>(asked: T, seen: &mut Vec<T>) -> T {
    if !seen.contains(&asked) {
        seen.push(asked.clone());
    }
    asked
}

fn named(said: &parse::NamedWord, example: &str, diag: &mut Diag) -> Option<Named> {
    match said {
        parse::NamedWord::Variant(path) => variant(path, example, diag).map(Named::Variant),
        parse::NamedWord::Text(text)
            if text.value().is_empty() || text.value().contains(char::is_whitespace) =>
        {
            diag.error(
                text,
                "a role or scope is one word: write it as it stands in the token",
            );
            None
        }
        parse::NamedWord::Text(text) => Some(Named::Text(text.clone())),
    }
}

fn variant(said: &VariantPath, example: &str, diag: &mut Diag) -> Option<Variant> {
    let path = &said.path;
    let mut of = path.clone();
    let last = of.segments.pop();
    let (Some(last), Some(kept)) = (last, of.segments.pop()) else {
        diag.error(
            path,
            format_args!("`{0}` lacks its enum: write `{example}::{0}`", shown(path)),
        );
        return None;
    };
    of.segments.push(kept);
    Some(Variant {
        of,
        name: last.ident,
        has_braces: said.has_braces,
    })
}

fn value(wanted: &WantedValue, diag: &mut Diag) -> Option<Value> {
    let (negative, lit) = match wanted {
        WantedValue::Path(path) => return variant(path, "Plan", diag).map(Value::Variant),
        WantedValue::Literal { negative, lit } => (*negative, lit),
    };
    match lit {
        Lit::Str(text) if !negative => Some(Value::Text(text.clone())),
        Lit::Bool(truth) if !negative => Some(Value::Truth(truth.value)),
        Lit::Int(number) => {
            let digits = if negative {
                format!("-{}", number.base10_digits())
            } else {
                number.base10_digits().to_owned()
            };
            let read = digits.parse().ok();
            if read.is_none() {
                diag.error(
                    number,
                    "no claim holds so large a number: write one of at most 127 bits",
                );
            }
            read.map(|read| Value::Number(read, number.span()))
        }
        _ => {
            diag.error(
                lit,
                "a claim is compared with a string, a whole number, a bool or the variant of an \
                 enum: write one of these",
            );
            None
        }
    }
}

/// A way to authenticate, as a challenge names it: parted by spaces, in quotes (RFC 9470 section
/// 3).
fn acr(text: &LitStr, diag: &mut Diag) -> Option<String> {
    let value = text.value();
    if value.is_empty() {
        diag.error(
            text,
            "an `acr` has a name: write the value that the token carries, as in \
             `urn:mace:incommon:iap:silver`",
        );
    } else if value.contains(|c: char| !matches!(c, '!' | '#'..='[' | ']'..='~')) {
        diag.error(
            text,
            format_args!(
                "`{value}` holds a character that separates or quotes the parts of a challenge: \
                 use visible ASCII \
                 without space, `\"` and `\\`"
            ),
        );
    } else {
        return Some(value);
    }
    None
}

/// Returns a type on one line, as it is usually written.
fn written(ty: &Type) -> String {
    tokens::shown(&ty.to_token_stream().into_iter().collect::<Vec<_>>())
}

fn shown(path: &Path) -> String {
    let lead = if path.leading_colon.is_some() {
        "::"
    } else {
        ""
    };
    let segments: Vec<String> = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    lead.to_owned() + &segments.join("::")
}

impl parse::NamedWord {
    fn shown(&self) -> String {
        match self {
            Self::Variant(said) => shown(&said.path),
            Self::Text(text) => format!("\"{}\"", text.value()),
        }
    }
}

impl WantedValue {
    fn shown(&self) -> String {
        match self {
            Self::Path(said) => shown(&said.path),
            Self::Literal { negative, lit } => {
                let minus = if *negative { "-" } else { "" };
                format!("{minus}{}", quote::quote!(#lit))
            }
        }
    }
}
