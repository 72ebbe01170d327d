//! Collects mistakes, so that all are reported at once, each at its own place and with a way out.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned as _;

/// The mistakes of one expansion. While debugging it panics when it is dropped unread, so that no
/// mistake is lost.
pub(crate) struct Diag {
    errors: Vec<syn::Error>,
    is_read: bool,
}

impl Diag {
    pub(crate) const fn new() -> Self {
        Self {
            errors: Vec::new(),
            is_read: false,
        }
    }

    /// Reports a mistake at the first token of `at`; at the macro's name where `at` is empty.
    pub(crate) fn error(&mut self, at: &impl ToTokens, message: impl std::fmt::Display) {
        self.errors.push(syn::Error::new(at.span(), message));
    }

    /// Reports what darling could not read.
    pub(crate) fn darling(&mut self, error: darling::Error) {
        self.errors
            .extend(error.flatten().into_iter().map(syn::Error::from));
    }

    /// Reports a word that is not in `known`, and suggests the nearest one.
    pub(crate) fn unknown(&mut self, word: &Ident, what: &str, known: &[&str]) {
        self.error(word, unknown(what, &word.to_string(), known));
    }

    /// Returns one that is not read, where something else reports the same.
    pub(crate) const fn ignored() -> Self {
        Self {
            errors: Vec::new(),
            is_read: true,
        }
    }

    /// Returns the mistakes as compile errors; `None` where no mistake was found.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        self.is_read = true;
        (!self.errors.is_empty()).then(|| {
            self.errors
                .iter()
                .map(syn::Error::to_compile_error)
                .collect()
        })
    }
}

impl Drop for Diag {
    fn drop(&mut self) {
        // A panic on the way out of another one would abort, and hide both.
        debug_assert!(
            self.is_read || std::thread::panicking(),
            "the mistakes of an expansion were not read"
        );
    }
}

/// Returns the message about a word that is not in `known`.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("unknown {what} `{word}`: did you mean `{near}`?"),
        None => format!("unknown {what} `{word}`: there is {}", listed(known)),
    }
}

/// Returns the nearest of `known`, where one is near.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (likeness(word, known), *known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// Returns how near two words are, from 0 to 1. One slip of the finger is near, also in a short word.
fn likeness(word: &str, known: &str) -> f64 {
    let slip = strsim::damerau_levenshtein(word, known) == 1 && word.len() > 2;
    strsim::jaro_winkler(word, known).max(if slip { 0.9 } else { 0.0 })
}

/// Returns "`a`, `b` and `c`".
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
