//! Makes token streams of bytes: mostly words of a grammar, with everything that Rust has between
//! them.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// The bytes that were not used yet.
pub(crate) struct Tokens<'a> {
    data: &'a [u8],
    words: &'a [&'a str],
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(data: &'a [u8], words: &'a [&'a str]) -> Self {
        Self { data, words }
    }

    /// One of so many.
    pub(crate) fn choice(&mut self, count: u8) -> u8 {
        self.byte() % count
    }

    /// The tokens up to an end, or all that are left.
    pub(crate) fn stream(&mut self) -> TokenStream {
        if self.choice(16) == 0 {
            return self.text();
        }
        self.level(0)
    }

    /// Tokens as they are read from a text.
    fn text(&mut self) -> TokenStream {
        let length = usize::from(self.byte()).min(self.data.len());
        let (text, rest) = self.data.split_at(length);
        self.data = rest;
        std::str::from_utf8(text).ok().and_then(|text| TokenStream::from_str(text).ok()).unwrap_or_default()
    }

    fn level(&mut self, depth: usize) -> TokenStream {
        let mut trees: Vec<TokenTree> = Vec::new();
        while !self.data.is_empty() {
            match self.byte() {
                0..=95 => trees.push(self.word()),
                96..=167 => trees.push(self.sign()),
                168..=207 => trees.push(self.literal()),
                208..=231 if depth < MAX_DEPTH => {
                    let delimiter = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                    let delimiter = delimiter[usize::from(self.choice(4))];
                    let inner = self.level(depth + 1);
                    trees.push(TokenTree::Group(Group::new(delimiter, inner)));
                }
                232..=247 if depth < MAX_DEPTH => {
                    // `name(…)`, which random bytes hardly ever make.
                    trees.push(self.word());
                    let inner = self.level(depth + 1);
                    trees.push(TokenTree::Group(Group::new(Delimiter::Parenthesis, inner)));
                }
                _ => break,
            }
        }
        trees.into_iter().collect()
    }

    fn word(&mut self) -> TokenTree {
        let byte = self.byte();
        let common = usize::from(byte) % (self.words.len() + RUST.len());
        let word = self.words.get(common).copied().unwrap_or_else(|| RUST[common - self.words.len()]);
        let raw = byte >= 224 && !["self", "Self", "super", "crate", "_"].contains(&word);
        TokenTree::Ident(if raw { Ident::new_raw(word, Span::call_site()) } else { Ident::new(word, Span::call_site()) })
    }

    fn sign(&mut self) -> TokenTree {
        let byte = self.byte();
        let sign = SIGNS[usize::from(byte) % SIGNS.len()];
        let spacing = if byte >= 128 { Spacing::Joint } else { Spacing::Alone };
        TokenTree::Punct(Punct::new(sign, spacing))
    }

    fn literal(&mut self) -> TokenTree {
        let kind = self.choice(10);
        let literal = match kind {
            0..=3 => Literal::string(STRINGS[usize::from(self.byte()) % STRINGS.len()]),
            4 => {
                let length = usize::from(self.choice(24)).min(self.data.len());
                let (text, rest) = self.data.split_at(length);
                self.data = rest;
                Literal::string(&String::from_utf8_lossy(text))
            }
            5 => Literal::u64_unsuffixed(u64::from(self.byte())),
            6 => Literal::i128_suffixed(i128::from(self.byte()) << 119),
            7 => Literal::f64_unsuffixed(f64::from(self.byte()) / 7.0),
            8 => Literal::character(char::from(self.byte())),
            _ => Literal::byte_string(&[self.byte()]),
        };
        TokenTree::Literal(literal)
    }

    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.data.split_first() else { return 0 };
        self.data = rest;
        *byte
    }
}

const MAX_DEPTH: usize = 24;

const SIGNS: [char; 24] =
    [',', '=', ':', ',', '=', '<', '>', '&', '-', '#', '!', '?', '.', ';', '|', '+', '*', '/', '%', '^', '@', '$', '~', '\''];

const RUST: [&str; 22] = [
    "crate", "self", "Self", "super", "struct", "enum", "union", "pub", "where", "for", "dyn", "impl", "fn", "const", "as", "_",
    "true", "false", "async", "type", "static", "unsafe",
];

const STRINGS: [&str; 22] = [
    "",
    "a",
    "camelCase",
    "kebab-case",
    "snake-case",
    "5m",
    "0s",
    "99999999999999999999d",
    "300000000000000000d",
    "2ms",
    "/",
    "/auth",
    "/a//b",
    "/{id}",
    "a b",
    "token",
    "https://example.com/",
    "Option::is_none",
    "module::path",
    "sub",
    "ß\u{0}\u{200b}",
    "strict",
];
