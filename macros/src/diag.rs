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

    /// Reports a word that is none of `known`, and suggests the nearest, which it returns.
    pub(crate) fn unknown<'a>(
        &mut self,
        word: &Ident,
        what: &str,
        known: &[&'a str],
    ) -> Option<&'a str> {
        let text = word.to_string();
        let near = nearest(&text, known);
        match near {
            Some(near) => self.error(
                word,
                format_args!("unknown {what} `{text}`: did you mean `{near}`?"),
            ),
            None => self.error(
                word,
                format_args!("unknown {what} `{text}`: there is {}", listed(known)),
            ),
        }
        near
    }

    /// Forgets what was collected, where somebody else reports it.
    pub(crate) fn ignore(mut self) {
        self.is_read = true;
    }

    /// The expansion: `good` where there is a model and no mistake, otherwise the mistakes and
    /// `stub`, which keeps others from following.
    pub(crate) fn finish<M>(
        mut self,
        model: Option<M>,
        good: impl FnOnce(&M) -> TokenStream,
        stub: impl FnOnce() -> TokenStream,
    ) -> TokenStream {
        self.is_read = true;
        if let (Some(model), []) = (model, &*self.errors) {
            return good(&model);
        }
        let mut out: TokenStream = self
            .errors
            .iter()
            .map(syn::Error::to_compile_error)
            .collect();
        out.extend(stub());
        out
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
