//! Conditions as they are written elsewhere: operators, lists, and values without their word. Each
//! is told with the line to write.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::attr;
use crate::diag::Diag;

/// Returns the options, with a stand-in for each that is reported here.
pub(crate) fn understood(tokens: TokenStream, count: &mut usize, diag: &mut Diag) -> TokenStream {
    let options = attr::chunks(tokens).into_iter().map(|option| {
        let Some(sentence) = mistake(&option) else {
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
            let inside = understood(group.stream(), count, diag);
            let mut inside = proc_macro2::Group::new(Delimiter::Parenthesis, inside);
            inside.set_span(group.span());
            quote!(#word #inside)
        }
        _ => option.into_iter().collect(),
    }
}

/// Returns what to write, where the option is written as elsewhere.
fn mistake(option: &[TokenTree]) -> Option<String> {
    match option {
        [TokenTree::Literal(_), ..] => Some(format!(
            "a condition begins with its word: write `role = Role::Admin`, `scope = Scope::Write` \
             or `claim(plan = {})`",
            shown(option)
        )),
        [TokenTree::Punct(not), rest @ ..] if not.as_char() == '!' && !rest.is_empty() => {
            let condition = if is_path(rest) {
                format!("{} = {}", word_of(rest), shown(rest))
            } else {
                shown(rest)
            };
            Some(format!(
                "what is not to hold has a word: write `not({condition})`"
            ))
        }
        [TokenTree::Ident(name)] if starts_upper(name) => Some(format!(
            "a condition begins with its word: for what another policy asks, write `policy = \
             {name}`"
        )),
        [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {
            let word = word_of(option);
            Some(parted(&word, option).unwrap_or_else(|| {
                format!(
                    "a condition begins with its word: write `{word} = {}`",
                    shown(option)
                )
            }))
        }
        [TokenTree::Ident(word), rest @ ..] => {
            let word = match word.to_string().as_str() {
                "role" | "roles" => "role",
                "scope" | "scopes" => "scope",
                _ => return None,
            };
            compared(word, rest)
        }
        _ => None,
    }
}

/// Returns what to write in place of an operator, or of a list, after the word of a condition.
fn compared(word: &str, rest: &[TokenTree]) -> Option<String> {
    let (operator, value): (String, &[TokenTree]) = match rest {
        [
            TokenTree::Punct(first),
            TokenTree::Punct(second),
            value @ ..,
        ] if second.as_char() == '=' || second.as_char() == '!' => {
            (format!("{}{}", first.as_char(), second.as_char()), value)
        }
        [TokenTree::Punct(first), value @ ..] => (first.as_char().to_string(), value),
        [TokenTree::Ident(within), value @ ..] if within == "in" => ("in".to_owned(), value),
        _ => return None,
    };
    if value.is_empty() {
        return None;
    }
    let shown = shown(value);
    match operator.as_str() {
        "=" | "in" => parted(word, value),
        "==" => Some(format!("a condition has one `=`: write `{word} = {shown}`")),
        "!=" | "=!" => Some(format!(
            "what is not to hold has a word: write `not({word} = {shown})`"
        )),
        "<" | ">" | "<=" | ">=" => Some(format!(
            "a {word} is neither more nor less than another: name each that is enough, as in \
             `any({word} = {shown}, {word} = …)`"
        )),
        _ => None,
    }
}

/// Returns what to write in place of several values at once.
fn parted(word: &str, value: &[TokenTree]) -> Option<String> {
    if let [TokenTree::Group(group)] = value
        && matches!(
            group.delimiter(),
            Delimiter::Bracket | Delimiter::Parenthesis | Delimiter::Brace
        )
    {
        let values = attr::chunks(group.stream());
        return Some(one_of(
            word,
            values.iter().map(|value| shown(value)).collect(),
        ));
    }
    let by = |sign: char| {
        let parts = value
            .split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign));
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(shown).collect();
        (parts.len() > 1).then_some(parts)
    };
    if let Some(values) = by('|') {
        return Some(one_of(word, values));
    }
    let values: Vec<String> = by('&')?
        .into_iter()
        .map(|value| format!("{word} = {value}"))
        .collect();
    Some(format!(
        "a condition names one {word}: for all of several, write `{}`",
        values.join(", ")
    ))
}

fn one_of(word: &str, values: Vec<String>) -> String {
    let values: Vec<String> = values
        .into_iter()
        .map(|value| format!("{word} = {value}"))
        .collect();
    match values.as_slice() {
        [] => format!("a condition names one {word}: write `{word} = …`"),
        [only] => format!("a condition names one {word}: write `{only}`"),
        several => format!(
            "a condition names one {word}: for one of several, write `any({})`",
            several.join(", ")
        ),
    }
}

/// Returns the word of a condition that names a path such as `Role::Admin`, by its enum.
fn word_of(path: &[TokenTree]) -> String {
    let is_scope = path.iter().any(
        |token| matches!(token, TokenTree::Ident(part) if part.to_string().ends_with("Scope")),
    );
    (if is_scope { "scope" } else { "role" }).to_owned()
}

fn is_path(tokens: &[TokenTree]) -> bool {
    tokens.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    })
}

fn starts_upper(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

/// Returns the tokens as they are usually written.
fn shown(tokens: &[TokenTree]) -> String {
    let tokens: TokenStream = tokens.iter().cloned().collect();
    let mut text = String::new();
    for part in tokens.to_string().split_whitespace() {
        match part {
            "=" => text.push_str(" = "),
            _ => text.push_str(part),
        }
    }
    text.replace(',', ", ")
}
