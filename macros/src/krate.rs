//! Where tollgate is: `::tollgate`, or what `crate = path` says.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;

use crate::diag::Diag;
use crate::option::Opt;

/// The path of `tollgate::__private`, which is all that expansions name of the runtime.
#[derive(Clone)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    /// The default, until an option says otherwise.
    pub(crate) const DEFAULT: Self = Self(None);

    /// Reads `crate = path`.
    pub(crate) fn read(opt: &Opt, diag: &mut Diag) -> Self {
        Self(opt.path("crate = ::my_tollgate", diag))
    }

    /// The path, so that rustc reports what it leads to at this place.
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
