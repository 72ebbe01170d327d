//! Collects mistakes, so that all are reported at once, each at its own place and with a way out.

use darling::error::Accumulator;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned as _;

/// The mistakes of one expansion. The accumulator panics when it is dropped unread.
pub(crate) struct Diag(Accumulator);

impl Diag {
    pub(crate) fn new() -> Self {
        Self(Accumulator::default())
    }

    /// Reports a mistake at the first token of `at`; at the macro's name where `at` is empty.
    pub(crate) fn error(&mut self, at: &impl ToTokens, message: impl std::fmt::Display) {
        let span = at.span();
        self.0.push(darling::Error::custom(message).with_span(&Ident::new("_at", span)));
    }

    /// Reports a word that is none of `known`, and suggests the nearest, which it returns.
    pub(crate) fn unknown<'a>(&mut self, word: &Ident, what: &str, known: &[&'a str]) -> Option<&'a str> {
        let text = word.to_string();
        let near = nearest(&text, known);
        match near {
            Some(near) => self.error(word, format_args!("unknown {what} `{text}`: did you mean `{near}`?")),
            None => self.error(word, format_args!("unknown {what} `{text}`: there is {}", listed(known))),
        }
        near
    }

    /// Reports an option that the grammar knows and nothing carries out.
    pub(crate) fn reserved(&mut self, word: &Ident, means: &str) {
        self.error(word, format_args!("`{word}` is reserved: {means} is not part of this version, so leave `{word}` out"));
    }

    /// Forgets what was collected, where somebody else reports it.
    pub(crate) fn ignore(self) {
        drop(self.0.into_inner());
    }

    /// The expansion: `good` where there is a model and no mistake, otherwise the mistakes and `stub`, which keeps others from following.
    pub(crate) fn finish<M>(
        self,
        model: Option<M>,
        good: impl FnOnce(&M) -> TokenStream,
        stub: impl FnOnce() -> TokenStream,
    ) -> TokenStream {
        match (self.0.finish(), model) {
            (Ok(()), Some(model)) => good(&model),
            (Ok(()), None) => stub(),
            (Err(errors), _) => {
                let mut out = errors.write_errors();
                out.extend(stub());
                out
            }
        }
    }
}

/// The nearest of `known`, where one is near.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (likeness(word, known), *known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// From 0 to 1. One slip of the finger is near, also in a short word.
fn likeness(word: &str, known: &str) -> f64 {
    let slip = strsim::damerau_levenshtein(word, known) == 1 && word.len() > 2;
    strsim::jaro_winkler(word, known).max(if slip { 0.9 } else { 0.0 })
}

/// "`a`, `b` and `c`".
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::from("none"),
        [only] => format!("`{only}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}
