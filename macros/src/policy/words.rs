//! Conditions as they are written elsewhere: operators, lists, and values without their word. Each
//! is told with the line to write.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use super::joined::{self, Commas, is_path};
use crate::attr;
use crate::diag::Diag;
use crate::shown::shown;

/// Returns the options, with a stand-in for each that is reported here.
pub(crate) fn understood(tokens: TokenStream, count: &mut usize, diag: &mut Diag) -> TokenStream {
    list(tokens, Commas::All, count, diag)
}

/// Returns the options of a list, whose commas join them in this way.
fn list(tokens: TokenStream, commas: Commas, count: &mut usize, diag: &mut Diag) -> TokenStream {
    let options = attr::options(tokens).into_iter().map(|option| {
        let Some(sentence) = mistake(&option, commas) else {
            return nested(option, count, diag);
        };
        let option: TokenStream = option.into_iter().collect();
        diag.error(&option, sentence);
        *count += 1;
        let stand_in = format_ident!("__TollgateMistake{count}");
        quote!(policy = #stand_in)
    });
    let options: Vec<TokenStream> = options.collect();
    quote!(#(#options),*)
}

fn nested(option: Vec<TokenTree>, count: &mut usize, diag: &mut Diag) -> TokenStream {
    match option.as_slice() {
        [TokenTree::Ident(word), TokenTree::Group(group)]
            if ["any", "all", "not", "or"].iter().any(|list| word == list)
                && group.delimiter() == Delimiter::Parenthesis =>
        {
            let commas = if word == "all" {
                Commas::All
            } else {
                Commas::Other
            };
            let inside = list(group.stream(), commas, count, diag);
            let mut inside = proc_macro2::Group::new(Delimiter::Parenthesis, inside);
            inside.set_span(group.span());
            quote!(#word #inside)
        }
        _ => option.into_iter().collect(),
    }
}

/// The left side of a condition: a word that takes a value, or the claim of a field.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Word(&'a str),
    Claim(&'a Ident),
}

impl Subject<'_> {
    /// Returns the condition that asks for a value.
    fn is(self, value: &str) -> String {
        match self {
            Self::Word(word) => format!("{word} = {value}"),
            Self::Claim(field) => format!("claim({field} = {value})"),
        }
    }

    /// Returns what a condition names once.
    fn one(self) -> String {
        match self {
            Self::Word(word) => format!("one `{word}`"),
            Self::Claim(field) => format!("one value of `{field}`"),
        }
    }
}

/// Returns what to write, where the option is written as elsewhere.
fn mistake(option: &[TokenTree], commas: Commas) -> Option<String> {
    if let Some(sentence) = operated(option, false, commas) {
        return Some(sentence);
    }
    match option {
        [TokenTree::Literal(_), ..] => Some(format!(
            "a condition has a name and a value: write `role = Role::Admin`, `scope = \
             Scope::Write` \
             or `claim(plan = {})`",
            shown(option)
        )),
        [TokenTree::Punct(not), rest @ ..] if not.as_char() == '!' && !rest.is_empty() => {
            let condition = if let Some(line) = joined::line(rest, false, Commas::Other) {
                line
            } else if is_path(rest) {
                format!("{} = {}", word_of(rest), shown(rest))
            } else {
                shown(rest)
            };
            Some(negated(&condition))
        }
        [TokenTree::Ident(name)] if starts_upper(name) => Some(format!(
            "a condition has a name and a value: to ask what another policy asks, write `policy = \
             {name}`"
        )),
        [TokenTree::Ident(word), TokenTree::Punct(colon), value @ ..]
            if colon.as_char() == ':' && is_value(value) =>
        {
            Some(format!(
                "a condition needs `=`: write `{word} = {}`",
                shown(value)
            ))
        }
        [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {
            let word = word_of(option);
            Some(
                parted(Subject::Word(word), option, commas).unwrap_or_else(|| {
                    format!(
                        "a condition has a name and a value: write `{word} = {}`",
                        shown(option)
                    )
                }),
            )
        }
        [TokenTree::Ident(word), TokenTree::Group(group)]
            if (word == "claim" || word == "claims")
                && group.delimiter() == Delimiter::Parenthesis =>
        {
            attr::options(group.stream())
                .iter()
                .find_map(|asked| operated(asked, true, commas).or_else(|| claim(asked, commas)))
        }
        [TokenTree::Ident(word), rest @ ..] => {
            let word = match word.to_string().as_str() {
                "role" | "roles" => "role",
                "scope" | "scopes" => "scope",
                "acr" => "acr",
                "policy" | "policies" => "policy",
                "max_age" => return age(rest),
                _ => return None,
            };
            compared(Subject::Word(word), rest, commas)
        }
        _ => None,
    }
}

/// Returns what to write in place of conditions that operators join; where a word cannot say one of
/// them, what to write in place of that one.
fn operated(option: &[TokenTree], of_claims: bool, commas: Commas) -> Option<String> {
    let parts = joined::parts(option)?;
    if let Some(line) = joined::line(option, of_claims, commas) {
        return Some(format!(
            "conditions are joined by commas and by `any(…)`, not by operators: write `{line}`"
        ));
    }
    parts.into_iter().find_map(|part| {
        if of_claims {
            claim(part, commas)
        } else {
            mistake(part, commas)
        }
    })
}

/// Returns what to write in place of what stands in `claim(…)`.
fn claim(asked: &[TokenTree], commas: Commas) -> Option<String> {
    match asked {
        [TokenTree::Punct(not), TokenTree::Ident(field)] if not.as_char() == '!' => Some(format!(
            "a claim is compared with a value: write `claim({field} = false)`"
        )),
        [TokenTree::Ident(field), TokenTree::Punct(colon), value @ ..]
            if colon.as_char() == ':' && is_value(value) =>
        {
            Some(format!(
                "a condition needs `=`: write `{}`",
                Subject::Claim(field).is(&shown(value))
            ))
        }
        [TokenTree::Ident(field), rest @ ..] => compared(Subject::Claim(field), rest, commas),
        _ => None,
    }
}

/// Returns what to write in place of an operator after `max_age`.
fn age(rest: &[TokenTree]) -> Option<String> {
    let (operator, value) = operator(rest)?;
    let value = shown(value);
    match operator.as_str() {
        "<" | "<=" | "==" => Some(format!(
            "`max_age` is the greatest age of a sign-in that is accepted: write `max_age = {value}`"
        )),
        ">" | ">=" | "!=" => Some(format!(
            "`max_age` is the greatest age of a sign-in that is accepted: for an older one, write \
             `not(max_age = {value})`"
        )),
        _ => None,
    }
}

/// Returns an operator, and what stands after it.
fn operator(rest: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    let (operator, value): (String, &[TokenTree]) = match rest {
        [
            TokenTree::Punct(first),
            TokenTree::Punct(second),
            value @ ..,
        ] if second.as_char() == '=' => (format!("{}=", first.as_char()), value),
        [TokenTree::Punct(first), value @ ..] => (first.as_char().to_string(), value),
        [TokenTree::Ident(within), value @ ..] if within == "in" => ("in".to_owned(), value),
        _ => return None,
    };
    (!value.is_empty()).then_some((operator, value))
}

/// Returns what to write in place of an operator, or of a list, after what a condition asks for.
fn compared(asked: Subject<'_>, rest: &[TokenTree], commas: Commas) -> Option<String> {
    let (operator, value) = operator(rest)?;
    let shown = shown(value);
    match operator.as_str() {
        "=" | "in" => parted(asked, value, commas),
        "==" => Some(format!(
            "a condition has one `=`: write `{}`",
            asked.is(&shown)
        )),
        "!=" => Some(negated(&asked.is(&shown))),
        "<" | ">" | "<=" | ">=" => Some(unordered(asked, &shown)),
        _ => None,
    }
}

fn negated(condition: &str) -> String {
    format!("a condition that must not hold stands in `not(…)`: write `not({condition})`")
}

/// Returns what to write in place of a comparison or a range.
fn unordered(asked: Subject<'_>, value: &str) -> String {
    let compared = match asked {
        Subject::Word("role") => "roles have no order",
        Subject::Word("scope") => "scopes have no order",
        Subject::Word("policy") => "policies have no order",
        Subject::Word(_) => "ways to sign in have no order",
        Subject::Claim(_) => "a policy asks only whether a claim is equal to a value",
    };
    format!(
        "{compared}: list each value that is enough, as in `any({}, {})`",
        asked.is(value),
        asked.is("…")
    )
}

/// Returns what to write in place of several values at once, of a negated one, or of a range.
fn parted(asked: Subject<'_>, value: &[TokenTree], commas: Commas) -> Option<String> {
    // `policy = (A, B)` is a policy.
    let is_policy = matches!(asked, Subject::Word("policy"));
    match value {
        [TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Bracket
                || group.delimiter() == Delimiter::Brace
                || group.delimiter() == Delimiter::Parenthesis && !is_policy =>
        {
            return Some(one_of(asked, &values(group)));
        }
        [TokenTree::Punct(not), rest @ ..] if not.as_char() == '!' && !rest.is_empty() => {
            return Some(negated(&asked.is(&shown(rest))));
        }
        [TokenTree::Ident(list), TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Parenthesis =>
        {
            let values = values(group);
            match list.to_string().as_str() {
                "not" => return Some(negated(&asked.is(&values.join(", ")))),
                "any" | "or" => return Some(one_of(asked, &values)),
                "all" | "and" => return Some(all_of(asked, &values, commas)),
                _ => {}
            }
        }
        _ => {}
    }
    let is_dot =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '.');
    if let Some(at) = value
        .windows(2)
        .position(|pair| pair.iter().all(is_dot))
        .filter(|at| *at > 0)
    {
        let (first, _) = value.split_at(at);
        return Some(unordered(asked, &shown(first)));
    }
    let by = |sign: char| {
        let parts = value
            .split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign));
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(shown).collect();
        (parts.len() > 1).then_some(parts)
    };
    if let Some(values) = by('|') {
        return Some(one_of(asked, &values));
    }
    by('&').map(|values| all_of(asked, &values, commas))
}

fn values(group: &proc_macro2::Group) -> Vec<String> {
    attr::chunks(group.stream())
        .iter()
        .map(|value| shown(value))
        .collect()
}

fn one_of(asked: Subject<'_>, values: &[String]) -> String {
    let one = asked.one();
    let values: Vec<String> = values.iter().map(|value| asked.is(value)).collect();
    match values.as_slice() {
        [] => format!("a condition names {one}: write `{}`", asked.is("…")),
        [only] => format!("a condition names {one}: write `{only}`"),
        several => format!(
            "a condition names {one}: for one of several, write `any({})`",
            several.join(", ")
        ),
    }
}

fn all_of(asked: Subject<'_>, values: &[String], commas: Commas) -> String {
    // A sign-in has one of them, so two never hold together.
    if matches!(asked, Subject::Word("acr")) {
        return one_of(asked, values);
    }
    let one = asked.one();
    let values: Vec<String> = values.iter().map(|value| asked.is(value)).collect();
    let all = values.join(", ");
    let all = if commas == Commas::All || values.len() < 2 {
        all
    } else {
        format!("all({all})")
    };
    format!("a condition names {one}: for all of several, write `{all}`")
}

/// Returns the word of a condition that names a path such as `Role::Admin`, by its enum.
pub(super) fn word_of(path: &[TokenTree]) -> &'static str {
    let is_scope = path.iter().any(
        |token| matches!(token, TokenTree::Ident(part) if part.to_string().ends_with("Scope")),
    );
    if is_scope { "scope" } else { "role" }
}

/// Returns whether what stands after one colon is a value, and not the rest of a path.
fn is_value(after: &[TokenTree]) -> bool {
    !matches!(after.first(), None | Some(TokenTree::Punct(_)))
}

fn starts_upper(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}
