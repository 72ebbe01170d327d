//! The path of the runtime in expansions, `::tollgate` or that of `crate = path`, and numbers in
//! place of names.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, Type};

use crate::options::Maybe;

/// The path of `tollgate::__private`, which is all that expansions name of the runtime.
#[derive(Clone)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    /// Takes what `crate = path` says.
    pub(crate) fn new(path: &Maybe<Path>) -> Self {
        Self(path.0.clone())
    }

    /// Returns the path, so that rustc reports what it leads to at this place.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let tokens = self.to_token_stream().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        tokens.collect()
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match &self.0 {
            Some(path) => quote!(#path::__private),
            None => quote!(::tollgate::__private),
        });
    }
}

/// Returns a type without parameters, asked for a condition here alone: where it does not fulfil
/// it, rustc reports that, and takes every use for a mistake that is known.
pub(crate) fn asked(krate: &Krate, condition: &str, ty: &Type) -> TokenStream {
    let here = located(ty.span());
    let (krate, condition) = (krate.at(here), Ident::new(condition, here));
    quote_spanned! {here=>
        #krate::Answered<#ty, { #krate::#condition::<#ty>() }>
    }
}

/// The number that stands for a name in `__private::Variant` and `__private::HasClaim` (FNV-1a, 64
/// bits).
pub(crate) fn name_number(name: &str) -> u64 {
    let name = name.strip_prefix("r#").unwrap_or(name);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns a place for tokens of ours: names in them are looked up where the macro stands, and lints
/// that the user turned on for their own code do not look there.
pub(crate) fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Returns an identifier of the user as one of ours at the same place.
pub(crate) fn own(ident: &Ident) -> Ident {
    let mut own = ident.clone();
    own.set_span(located(ident.span()));
    own
}

/// Returns the tokens as if they stood at `span`; their names are looked up where they were written.
pub(crate) fn moved(tokens: impl ToTokens, span: Span) -> TokenStream {
    let tokens = tokens.into_token_stream().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    tokens.collect()
}
