//! Conditions that operators join, as in `role = Role::Admin || scope == Scope::Write`: reads them,
//! and writes them with the words `any`, `all` and `not`.

use proc_macro2::{Delimiter, Group, TokenTree};

use super::words::word_of;
use crate::attr;
use crate::shown::shown;

/// Conditions, as they are to be written.
enum Written {
    One(String),
    All(Vec<Written>),
    Any(Vec<Written>),
}

/// The left side of a condition, which a value without one takes over from the condition before.
#[derive(Clone)]
enum Left {
    Word(&'static str),
    Claim(String),
}

/// Returns the way in which the commas of a list join its conditions: in `any(…)` and `not(…)`,
/// several that must all hold stand in `all(…)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Commas {
    All,
    Other,
}

/// Returns the parts of what operators join, where one joins whole conditions.
pub(super) fn parts(option: &[TokenTree]) -> Option<Vec<&[TokenTree]>> {
    let parts: Vec<&[TokenTree]> = option
        .split(|token| is_sign(token, '|') || is_sign(token, '&'))
        .filter(|part| !part.is_empty())
        .collect();
    let (first, rest) = parts.split_first()?;
    let joins = !rest.is_empty() && (is_condition(first) && !is_assigned(first))
        || rest.iter().any(|part| is_condition(part));
    joins.then_some(parts)
}

/// Returns the line to write in place of conditions that operators join; of those in `claim(…)`
/// where `of_claims`.
pub(super) fn line(option: &[TokenTree], of_claims: bool, commas: Commas) -> Option<String> {
    let written = Reader { of_claims }.any(option, &mut None)?;
    Some(match written {
        Written::All(parts) if commas == Commas::All => listed(&parts),
        written => written.text(),
    })
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Returns whether a part is `name = value`.
fn is_assigned(part: &[TokenTree]) -> bool {
    matches!(part, [TokenTree::Ident(_), sign, next, ..] if is_sign(sign, '=') && !is_sign(next, '='))
}

/// Returns whether a part has a name and an operator, or is a list of conditions.
fn is_condition(part: &[TokenTree]) -> bool {
    match part {
        [TokenTree::Ident(_), sign, next, ..] if is_sign(sign, ':') => !is_sign(next, ':'),
        [TokenTree::Ident(_), TokenTree::Punct(_), ..] => true,
        [TokenTree::Ident(_), TokenTree::Ident(within), ..] => within == "in",
        [TokenTree::Ident(_), TokenTree::Group(group)] | [TokenTree::Group(group)] => {
            group.delimiter() == Delimiter::Parenthesis
        }
        [not, rest @ ..] if is_sign(not, '!') => is_condition(rest),
        _ => false,
    }
}

impl Written {
    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Option<Self> {
        if parts.len() > 1 {
            Some(join(parts))
        } else {
            parts.pop()
        }
    }

    fn text(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::All(parts) => format!("all({})", listed(parts)),
            Self::Any(parts) => format!("any({})", listed(parts)),
        }
    }
}

fn listed(parts: &[Written]) -> String {
    parts
        .iter()
        .map(Written::text)
        .collect::<Vec<_>>()
        .join(", ")
}

struct Reader {
    of_claims: bool,
}

impl Reader {
    fn any(&self, tokens: &[TokenTree], before: &mut Option<Left>) -> Option<Written> {
        let parts = tokens.split(|token| is_sign(token, '|'));
        let parts = parts.filter(|part| !part.is_empty());
        let parts: Option<Vec<Written>> = parts.map(|part| self.all(part, before)).collect();
        Written::joined(parts?, Written::Any)
    }

    fn all(&self, tokens: &[TokenTree], before: &mut Option<Left>) -> Option<Written> {
        let parts = tokens.split(|token| is_sign(token, '&'));
        let parts = parts.filter(|part| !part.is_empty());
        let parts: Option<Vec<Written>> = parts.map(|part| self.one(part, before)).collect();
        let parts = parts?;
        // A sign-in has one of them, so two never hold together.
        let is_acr = |part: &Written| matches!(part, Written::One(text) if text.starts_with("acr"));
        let join = if parts.iter().all(is_acr) {
            Written::Any
        } else {
            Written::All
        };
        Written::joined(parts, join)
    }

    fn one(&self, part: &[TokenTree], before: &mut Option<Left>) -> Option<Written> {
        match part {
            [not, rest @ ..] if is_sign(not, '!') => Some(negated(&self.one(rest, before)?)),
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_list = inside.iter().any(|token| is_sign(token, ','));
                if is_list {
                    return None;
                }
                self.any(&inside, before)
            }
            [TokenTree::Ident(word), TokenTree::Group(group)]
                if group.delimiter() == Delimiter::Parenthesis =>
            {
                match word.to_string().as_str() {
                    "any" | "or" => Written::joined(self.list(group)?, Written::Any),
                    "all" | "and" => Written::joined(self.list(group)?, Written::All),
                    "not" => match self.list(group)?.as_slice() {
                        [only] => Some(negated(only)),
                        _ => None,
                    },
                    "claim" | "claims" if !self.of_claims => {
                        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                        Self { of_claims: true }.any(&inside, &mut None)
                    }
                    _ => None,
                }
            }
            [TokenTree::Ident(name), rest @ ..] if is_condition(part) => {
                let left = self.left(&name.to_string())?;
                *before = Some(left.clone());
                compared(&left, rest)
            }
            value => {
                let left = match before {
                    Some(left) => left.clone(),
                    None if is_path(value) => Left::Word(word_of(value)),
                    None => return None,
                };
                Some(left.is(value))
            }
        }
    }

    fn list(&self, group: &Group) -> Option<Vec<Written>> {
        let parts = attr::options(group.stream());
        let parts = parts.iter();
        parts.map(|part| self.any(part, &mut None)).collect()
    }

    fn left(&self, name: &str) -> Option<Left> {
        if self.of_claims {
            return Some(Left::Claim(name.to_owned()));
        }
        Some(match name {
            "role" | "roles" => Left::Word("role"),
            "scope" | "scopes" => Left::Word("scope"),
            "acr" => Left::Word("acr"),
            "policy" | "policies" => Left::Word("policy"),
            "max_age" => Left::Word("max_age"),
            "user" | "consistency" | "crate" => return None,
            field => Left::Claim(field.to_owned()),
        })
    }
}

fn negated(written: &Written) -> Written {
    Written::One(format!("not({})", written.text()))
}

/// Returns the condition that an operator and a value make; nothing of one that has no equal.
fn compared(left: &Left, rest: &[TokenTree]) -> Option<Written> {
    let is = |value: &[TokenTree]| (!value.is_empty()).then(|| left.is(value));
    match rest {
        [first, second, value @ ..] if is_sign(second, '=') => match first {
            first if is_sign(first, '=') => is(value),
            first if is_sign(first, '!') => Some(negated(&is(value)?)),
            TokenTree::Punct(order) => left.aged(order.as_char(), value),
            _ => None,
        },
        [first, not, value @ ..] if is_sign(first, '=') && is_sign(not, '!') => {
            Some(negated(&is(value)?))
        }
        [TokenTree::Ident(within), TokenTree::Group(list)] if within == "in" => {
            let values = attr::chunks(list.stream());
            let values = values.iter().map(|value| left.is(value)).collect();
            Written::joined(values, Written::Any)
        }
        [first, TokenTree::Group(list)]
            if is_sign(first, '=') && list.delimiter() == Delimiter::Bracket =>
        {
            let values = attr::chunks(list.stream());
            let values = values.iter().map(|value| left.is(value)).collect();
            Written::joined(values, Written::Any)
        }
        [first, value @ ..] if is_sign(first, '=') || is_sign(first, ':') => is(value),
        [TokenTree::Punct(order), value @ ..] => left.aged(order.as_char(), value),
        _ => None,
    }
}

impl Left {
    fn is(&self, value: &[TokenTree]) -> Written {
        let value = shown(value);
        Written::One(match self {
            Self::Word(word) => format!("{word} = {value}"),
            Self::Claim(field) => format!("claim({field} = {value})"),
        })
    }

    /// Returns the condition of an order, which only an age has.
    fn aged(&self, order: char, value: &[TokenTree]) -> Option<Written> {
        if !matches!(self, Self::Word("max_age")) || value.is_empty() {
            return None;
        }
        match order {
            '<' => Some(self.is(value)),
            '>' => Some(negated(&self.is(value))),
            _ => None,
        }
    }
}

/// Returns whether the tokens are a path such as `Role::Admin`.
pub(super) fn is_path(tokens: &[TokenTree]) -> bool {
    tokens.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    })
}
