//! Splits attributes into options, `word`, `name = value`, `name(…)`, separated by commas, and
//! hands them to darling. Knows no option by its name.

use darling::ast::{MetaNameValueInvalidExpr, NestedMeta};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::{Attribute, MacroDelimiter, Meta, MetaList, Path, Token, token};

use crate::diag::Diag;

/// Returns the options of all attributes that have one of these names, in their order.
pub(crate) fn of_attributes(
    attrs: &[Attribute],
    names: &[&str],
    diag: &mut Diag,
) -> Vec<NestedMeta> {
    let mut items = Vec::new();
    for attr in attrs {
        let Some(name) = names.iter().find(|name| attr.path().is_ident(name)) else {
            continue;
        };
        match &attr.meta {
            Meta::List(list) => items.extend(split(list.tokens.clone(), diag)),
            Meta::Path(_) | Meta::NameValue(_) => diag.error(
                attr.path(),
                format_args!("`{name}` needs options: write `#[{name}(…)]`"),
            ),
        }
    }
    items
}

/// Returns the options in the brackets of an attribute. One that cannot be read does not hide the
/// others.
pub(crate) fn split(tokens: TokenStream, diag: &mut Diag) -> Vec<NestedMeta> {
    options(tokens)
        .into_iter()
        .flat_map(|chunk| read(chunk, diag))
        .collect()
}

/// Returns the name of an option.
pub(crate) fn key(item: &NestedMeta) -> Option<&Ident> {
    let path = match item {
        NestedMeta::Meta(meta) => meta.path(),
        NestedMeta::NameValueInvalidExpr(meta) => &meta.path,
        NestedMeta::Lit(_) => return None,
    };
    path.segments.first().map(|segment| &segment.ident)
}

/// Returns the tokens after `=`.
pub(crate) fn value(item: &NestedMeta) -> Option<&TokenStream> {
    match item {
        NestedMeta::NameValueInvalidExpr(meta) => Some(&meta.value),
        NestedMeta::Meta(_) | NestedMeta::Lit(_) => None,
    }
}

/// Returns the option under another name, which stands at the place of the first.
pub(crate) fn renamed(mut item: NestedMeta, name: &str) -> NestedMeta {
    let path = match &mut item {
        NestedMeta::Meta(Meta::Path(path)) => path,
        NestedMeta::Meta(Meta::List(list)) => &mut list.path,
        NestedMeta::Meta(Meta::NameValue(pair)) => &mut pair.path,
        NestedMeta::NameValueInvalidExpr(meta) => &mut meta.path,
        NestedMeta::Lit(_) => return item,
    };
    *path = Path::from(Ident::new(name, path.span()));
    item
}

/// Splits at commas. Commas between `<` and `>` belong to a type.
pub(crate) fn chunks(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    parted(tokens, |_| true)
}

/// Splits options at commas. Those between `<` and `>` belong to a type, but `<` after the name of
/// an option compares.
pub(crate) fn options(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    parted(tokens, |before| {
        let is_operator = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if "|&".contains(sign.as_char()));
        let part = before.rsplit(is_operator).next().unwrap_or(before);
        !matches!(part, [TokenTree::Ident(_)])
    })
}

/// Splits at commas other than those between `<` and `>`, where `<` opens a type after the tokens
/// before it in its chunk. One that nothing closes, and `<=`, compare.
fn parted(tokens: TokenStream, opens: fn(&[TokenTree]) -> bool) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let sign = |at: usize| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    };
    let closes = |at: usize| sign(at) == '>' && !matches!(sign(at.wrapping_sub(1)), '-' | '=');
    let is_closed = |at: usize| {
        let mut depth = 0_usize;
        (at..tokens.len()).any(|at| {
            match sign(at) {
                '<' => depth += 1,
                _ if closes(at) => depth = depth.saturating_sub(1),
                _ => return false,
            }
            depth == 0
        })
    };
    let mut chunks = vec![Vec::new()];
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if sign(at) == ',' && depth == 0 {
            chunks.push(Vec::new());
            continue;
        }
        let Some(chunk) = chunks.last_mut() else {
            continue;
        };
        if sign(at) == '<' {
            let is_type = sign(at + 1) != '=' && (depth > 0 || opens(chunk) && is_closed(at));
            depth += usize::from(is_type);
        } else if closes(at) {
            depth = depth.saturating_sub(1);
        }
        chunk.push(token.clone());
    }
    if chunks.last().is_some_and(Vec::is_empty) {
        chunks.pop();
    }
    chunks
}

/// Reads one option, and those after it from which no comma separates it. The value after `=` is
/// kept as tokens, since a type such as `Login<A, B>` is no expression.
fn read(chunk: Vec<TokenTree>, diag: &mut Diag) -> Vec<NestedMeta> {
    let mut tokens = chunk.into_iter().peekable();
    let key = match tokens.next() {
        Some(TokenTree::Ident(key)) => key,
        // A `macro_rules!` passes a fragment on as one group.
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
            return read(group.stream().into_iter().chain(tokens).collect(), diag);
        }
        other => {
            diag.error(
                &other,
                "expected the name of an option: write `name`, `name = value` or `name(…)`, and \
                 separate options with commas",
            );
            return Vec::new();
        }
    };
    let path = Path::from(key.clone());
    let (item, expected) = match tokens.next() {
        None => return vec![NestedMeta::Meta(Meta::Path(path))],
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            if tokens.peek().is_none() {
                diag.error(
                    &punct,
                    format_args!("`{key}` needs a value: write `{key} = …`"),
                );
            }
            return vec![assigned(path, punct.span(), tokens.collect())];
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let list = NestedMeta::Meta(Meta::List(MetaList {
                path,
                delimiter: MacroDelimiter::Paren(token::Paren(group.delim_span())),
                tokens: group.stream(),
            }));
            let Some(next) = tokens.next() else {
                return vec![list];
            };
            (list, (next, format!("expected `,` after `{key}(…)`")))
        }
        Some(other) => {
            let message = format!("expected `,`, `=` or `(…)` after `{key}`");
            (
                assigned(path, key.span(), TokenStream::new()),
                (other, message),
            )
        }
    };
    let (next, message) = expected;
    diag.error(
        &next,
        format_args!("{message}: separate options with commas"),
    );
    let mut items = vec![item];
    if matches!(next, TokenTree::Ident(_)) {
        items.extend(read(std::iter::once(next).chain(tokens).collect(), diag));
    }
    items
}

/// Makes `name = value`. Without a value it is an option whose mistake was reported.
fn assigned(path: Path, eq: Span, value: TokenStream) -> NestedMeta {
    NestedMeta::NameValueInvalidExpr(MetaNameValueInvalidExpr {
        path,
        eq_token: Token![=](eq),
        value,
        error: darling::Error::unsupported_format("value"),
    })
}
