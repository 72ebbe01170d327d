//! The rules of policies: from what was said to a model, or to mistakes.

use syn::{Data, DeriveInput, Fields, LitStr, Path};

use super::model::{Model, Rule, Variant};
use super::parse::{Args, Condition, Kind};
use crate::diag::Diag;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &Args, diag: &mut Diag) -> Option<Model> {
    let name = &item.ident;
    let unit = matches!(&item.data, Data::Struct(data) if matches!(data.fields, Fields::Unit));
    if !unit {
        diag.error(name, format_args!("a policy is a name for a condition and holds nothing: write `struct {name};`"));
    } else if let Some(param) = item.generics.params.first() {
        diag.error(param, format_args!("a policy has no parameters: write `struct {name};`"));
    }
    if !args.said {
        diag.error(
            name,
            format_args!("`{name}` asks for nothing: say what, as in `#[policy(role = Role::Admin)]`, or use `Anyone`"),
        );
    }
    let mut asked = Asked::default();
    let mut rules = all(&args.conditions, &mut asked, diag);
    let rule = if rules.len() == 1 { rules.pop()? } else { Rule::All(rules) };
    Some(Model { krate: args.krate.clone(), name: name.clone(), rule, roles: asked.roles, scopes: asked.scopes })
}

/// What the rule names, each once.
#[derive(Default)]
struct Asked {
    roles: Vec<Variant>,
    scopes: Vec<Variant>,
}

fn all(conditions: &[Condition], asked: &mut Asked, diag: &mut Diag) -> Vec<Rule> {
    let mut seen: Vec<(bool, &Path)> = Vec::new();
    for condition in conditions {
        let (Kind::Role(path) | Kind::Scope(path)) = &condition.kind else { continue };
        let this = (matches!(condition.kind, Kind::Role(_)), path);
        if seen.contains(&this) {
            diag.error(path, format_args!("`{}` is asked for twice: keep one", shown(path)));
        }
        seen.push(this);
    }
    conditions.iter().filter_map(|condition| one(condition, asked, diag)).collect()
}

fn one(condition: &Condition, asked: &mut Asked, diag: &mut Diag) -> Option<Rule> {
    Some(match &condition.kind {
        Kind::Role(path) => Rule::Role(variant(path, "Role", &mut asked.roles, diag)?),
        Kind::Scope(path) => Rule::Scope(variant(path, "Scope", &mut asked.scopes, diag)?),
        Kind::MaxAge(text) => Rule::MaxAge(seconds(text, diag)?),
        Kind::All(conditions) => Rule::All(all(conditions, asked, diag)),
        Kind::Any(conditions) => Rule::Any(all(conditions, asked, diag)),
        Kind::Not(conditions) => {
            if conditions.len() > 1 {
                diag.error(
                    &condition.word,
                    "`not` of several conditions can be read in two ways: write `not(any(…))` or `not(all(…))`",
                );
            }
            Rule::Not(Box::new(all(conditions, asked, diag).pop()?))
        }
    })
}

fn variant(path: &Path, example: &str, seen: &mut Vec<Variant>, diag: &mut Diag) -> Option<Variant> {
    let mut of = path.clone();
    let last = of.segments.pop();
    let (Some(last), Some(kept)) = (last, of.segments.pop()) else {
        diag.error(path, format_args!("`{0}` lacks its enum: write `{example}::{0}`", shown(path)));
        return None;
    };
    of.segments.push(kept);
    let variant = Variant { of, name: last.ident };
    if !seen.contains(&variant) {
        seen.push(variant.clone());
    }
    Some(variant)
}

/// The seconds of `30s`, `5m`, `2h` or `1d`.
fn seconds(text: &LitStr, diag: &mut Diag) -> Option<u64> {
    let value = text.value();
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let number = value.strip_suffix(*unit)?;
        let number: u64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        number.checked_mul(*seconds)
    });
    match read {
        Some(0) => diag.error(text, "nobody signed in within no time: write at least `1s`"),
        Some(_) => return read,
        None => diag.error(
            text,
            format_args!("`{value}` is no duration: write a whole number and its unit, as in `30s`, `5m`, `2h` or `1d`"),
        ),
    }
    None
}

fn shown(path: &Path) -> String {
    let lead = if path.leading_colon.is_some() { "::" } else { "" };
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    lead.to_owned() + &segments.join("::")
}
