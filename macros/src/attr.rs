//! Options as they stand in an attribute: `word`, `name = value`, `name(…)`, separated by commas.
//! Knows no meaning.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::{Parse, Parser as _};
use syn::{Attribute, LitStr, Meta, Path};

use crate::diag::Diag;

/// One option.
#[derive(Clone)]
pub(crate) struct Opt {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What follows the name of an option.
#[derive(Clone)]
pub(crate) enum Value {
    /// Nothing.
    Word,
    /// `= value`.
    Is(TokenStream),
    /// `(…)`.
    List(Group),
}

/// The options of all attributes with this name, in their order.
pub(crate) fn of_attributes(attrs: &[Attribute], name: &str, diag: &mut Diag) -> Vec<Opt> {
    let mut opts = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        match &attr.meta {
            Meta::List(list) => opts.extend(split(list.tokens.clone(), diag)),
            Meta::Path(_) | Meta::NameValue(_) => {
                diag.error(
                    attr.path(),
                    format_args!("`{name}` says nothing without options: write `#[{name}(…)]`"),
                );
            }
        }
    }
    opts
}

/// The options in the brackets of an attribute. One that cannot be read does not hide the others.
pub(crate) fn split(tokens: TokenStream, diag: &mut Diag) -> Vec<Opt> {
    chunks(tokens)
        .into_iter()
        .filter_map(|chunk| Opt::read(chunk, diag))
        .collect()
}

/// Keeps the first of each option, and reports the others unless they may repeat.
pub(crate) fn once(opts: Vec<Opt>, repeatable: &[&str], diag: &mut Diag) -> Vec<Opt> {
    let mut kept: Vec<Opt> = Vec::new();
    for opt in opts {
        let name = opt.key.to_string();
        if !repeatable.contains(&name.as_str()) && kept.iter().any(|other| other.key == opt.key) {
            diag.error(&opt.key, format_args!("`{name}` is said twice: keep one"));
        } else {
            kept.push(opt);
        }
    }
    kept
}

/// Tokens between commas. Commas between `<` and `>` belong to a type.
fn chunks(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut chunks = vec![Vec::new()];
    let (mut depth, mut before) = (0_usize, ' ');
    for token in tokens {
        let sign = if let TokenTree::Punct(punct) = &token {
            punct.as_char()
        } else {
            ' '
        };
        match sign {
            ',' if depth == 0 => chunks.push(Vec::new()),
            _ => {
                match sign {
                    '<' => depth += 1,
                    '>' if before != '-' && before != '=' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if let Some(chunk) = chunks.last_mut() {
                    chunk.push(token);
                }
            }
        }
        before = sign;
    }
    if chunks.last().is_some_and(Vec::is_empty) {
        chunks.pop();
    }
    chunks
}

impl Opt {
    fn read(chunk: Vec<TokenTree>, diag: &mut Diag) -> Option<Self> {
        let mut tokens = chunk.into_iter();
        let key = match tokens.next() {
            Some(TokenTree::Ident(key)) => key,
            // What a `macro_rules!` passed on as one fragment.
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
                return Self::read(group.stream().into_iter().chain(tokens).collect(), diag);
            }
            other => {
                diag.error(
                    &other,
                    "expected the name of an option: write `name`, `name = value` or `name(…)`, \
                     parted by commas",
                );
                return None;
            }
        };
        let value = match (tokens.next(), tokens.len()) {
            (None, _) => Value::Word,
            (Some(TokenTree::Punct(punct)), 0) if punct.as_char() == '=' => {
                diag.error(
                    &punct,
                    format_args!("`{key}` lacks its value: write `{key} = …`"),
                );
                return None;
            }
            (Some(TokenTree::Punct(punct)), _) if punct.as_char() == '=' => {
                Value::Is(tokens.collect())
            }
            (Some(TokenTree::Group(group)), 0) if group.delimiter() == Delimiter::Parenthesis => {
                Value::List(group)
            }
            (Some(TokenTree::Group(group)), _) if group.delimiter() == Delimiter::Parenthesis => {
                diag.error(
                    &tokens.next(),
                    format_args!("expected `,` after `{key}(…)`: part options by commas"),
                );
                return None;
            }
            (Some(other), _) => {
                diag.error(
                    &other,
                    format_args!(
                        "expected `,`, `=` or `(…)` after `{key}`: part options by commas"
                    ),
                );
                return None;
            }
        };
        Some(Self { key, value })
    }

    /// The option's name where it stands alone, as it must.
    pub(crate) fn word(&self, diag: &mut Diag) -> Option<Ident> {
        if !matches!(self.value, Value::Word) {
            diag.error(
                &self.key,
                format_args!("`{0}` takes no value: write `{0}`", self.key),
            );
        }
        Some(self.key.clone())
    }

    /// The string after `=`.
    pub(crate) fn string(&self, diag: &mut Diag) -> Option<LitStr> {
        self.parse(
            "a string",
            &format!("{} = \"…\"", self.key),
            <LitStr as Parse>::parse,
            diag,
        )
    }

    /// The path after `=`.
    pub(crate) fn path(&self, example: &str, diag: &mut Diag) -> Option<Path> {
        self.parse("a path", example, Path::parse_mod_style, diag)
    }

    /// The value after `=`, read by `parser`.
    pub(crate) fn parse<T>(
        &self,
        what: &str,
        example: &str,
        parser: impl FnOnce(syn::parse::ParseStream<'_>) -> syn::Result<T>,
        diag: &mut Diag,
    ) -> Option<T> {
        let Value::Is(tokens) = &self.value else {
            diag.error(
                &self.key,
                format_args!("`{}` takes {what}: write `{example}`", self.key),
            );
            return None;
        };
        let value = parser.parse2(tokens.clone()).ok();
        if value.is_none() {
            diag.error(tokens, format_args!("expected {what}: write `{example}`"));
        }
        value
    }

    /// The options in `(…)`.
    pub(crate) fn list(&self, example: &str, diag: &mut Diag) -> Option<Vec<Opt>> {
        let Value::List(group) = &self.value else {
            diag.error(
                &self.key,
                format_args!("`{}` takes options of its own: write `{example}`", self.key),
            );
            return None;
        };
        let opts = split(group.stream(), diag);
        if group.stream().is_empty() {
            diag.error(
                &self.key,
                format_args!(
                    "`{}` is empty: write what belongs there, as in `{example}`",
                    self.key
                ),
            );
        }
        Some(opts)
    }
}
